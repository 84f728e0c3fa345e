"""Issue numbers by tokenq's own client, call one, and follow the department: desk.py DEPARTMENT."""

import os
import sys
import threading

from tokenq.client import Client
from tokenq.client.events import EventArrived, LinkChanged, follow
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import Unreachable

department = sys.argv[1]
done = threading.Event()
with Client(os.environ["TOKENQ_URL"], os.environ["TOKENQ_TOKEN"]) as client:
    try:
        position = f"{department}:{client.queue(department)['seq']}"
        token = client.issue(department, name="Ada Byron", key="visit-4711")  # a repeat issues no second number
        called = client.call(department, "5")
        client.move(called, "park", untilMinutes=10)
        client.call(department, "5", token_id=token["tokenId"], reason="has an appointment")
    except Refused as refusal:
        if refusal.problem.code is not ProblemCode.COUNTER_BUSY:  # codes are stable, texts are not
            raise
        print(refusal.problem.detail, refusal.problem.hint)
    except Unreachable as away:
        sys.exit(f"{away}")
    for arrival in follow(client.server, [department], position, done):
        if isinstance(arrival, LinkChanged):
            print("live" if arrival.is_live else arrival.sentence)
        elif isinstance(arrival, EventArrived):
            print(arrival.event.seq, arrival.event.event_type, arrival.event.display_number)
            if arrival.event.token_id == token["tokenId"] and arrival.event.event_type == "TOKEN_CALLED":
                done.set()
