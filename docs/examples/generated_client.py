"""Issue and call a number with a client that openapi-python-client has made of /openapi.json."""

import os
import sys

from tokenq_client import AuthenticatedClient
from tokenq_client.api.tokens import call_api_v1_departments_department_id_call_post as call
from tokenq_client.api.tokens import issue_api_v1_departments_department_id_tokens_post as issue
from tokenq_client.models import Call, IssueToken, Problem

DEPARTMENT = sys.argv[1]

with AuthenticatedClient(base_url=os.environ["TOKENQ_URL"], token=os.environ["TOKENQ_TOKEN"]) as client:
    token = issue.sync(DEPARTMENT, client=client, body=IssueToken(name="Ada Byron"), idempotency_key="generated-1")
    print(token.display_number, token.state)
    token = call.sync(DEPARTMENT, client=client, body=Call(counter_id="1"))
    print(token.display_number, token.state, "at counter", token.counter_id)
    answer = call.sync(DEPARTMENT, client=client, body=Call(counter_id="2"))
    if isinstance(answer, Problem):
        print(f"{answer.code}: {answer.detail}")
