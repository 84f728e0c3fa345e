"""Reasons to refuse a request about a token, a counter or a department."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason
from tokenq.contract.reasons import ASK_ADMIN

_HURRIED = "Give the customer time to arrive."
_LOOK_AGAIN = "Check the queue again."


class TokenReason(Reason):
    """About one token."""

    UNKNOWN = ProblemCode.UNKNOWN_TOKEN, "There is no token {token}.", Action.SHOW_QUEUE
    NO_TICKET_LINK = (
        ProblemCode.UNKNOWN_TOKEN,
        "This link leads to no ticket.",
        "Links end two hours after their number. Ask at the desk.",
    )
    NOT_TODAY = ProblemCode.UNKNOWN_TOKEN, "No token has the number {number} today.", Action.FIND_TOKEN
    NOT_PLAIN = (
        ProblemCode.UNKNOWN_TOKEN,
        "No department has issued a plain number {number} today.",
        "Type the number as printed, such as CW-012. For the token with that id, type id:{id}.",
    )
    NO_NUMBER = (
        ProblemCode.INVALID,
        "'{reference}' is not a token number.",
        "Type the number on the ticket (CW-012), or an id (id:101).",
    )
    AMBIGUOUS = (
        ProblemCode.AMBIGUOUS,
        "'{number}' can mean {count} tokens: {candidates}.",
        "Type it as printed, or use its id: {ids}.",
    )
    SAME_NUMBER = (ProblemCode.AMBIGUOUS, "'{number}' can mean {count} tokens: {candidates}.", "Use the id: {ids}.")
    CALLED_SINCE = (
        ProblemCode.STALE_CLAIM,
        "{number} was called again, or its call was undone, since you last saw it.",
        "Check the queue before you continue.",
    )
    MOVED_ON = ProblemCode.STALE_CLAIM, "{number} has changed in the meantime.", _LOOK_AGAIN
    WRONG_STATE = ProblemCode.WRONG_STATE, "{number} is {state}: '{verb}' is not possible.", "Possible now: {allowed}."
    FINAL_STATE = (ProblemCode.WRONG_STATE, "{number} is {state}: '{verb}' is not possible.", "Issue a new number.")
    OTHER_BRANCH_NOW = (
        ProblemCode.WRONG_STATE,
        "{number} was issued before {department} moved to another branch.",
        "Issue a new number.",
    )
    OTHER_DAY = ProblemCode.WRONG_STATE, "{number} is from another business day.", "Issue a new number."
    SAME_PRIORITY = ProblemCode.WRONG_STATE, "{number} is {priority} already.", "Choose another class."
    SAME_DEPARTMENT = ProblemCode.WRONG_STATE, "{number} is in {department} already.", Action.REQUEUE
    OTHER_BRANCH = (
        ProblemCode.INVALID,
        "{target} is in branch {branch}, {department} in {home}.",
        "A token cannot leave its branch: issue a new number there.",
    )
    TOO_MANY_CALLS = (
        ProblemCode.LIMIT_REACHED,
        "{number} was called {calls} times, the most that {department} allows.",
        "Mark it as a no-show, put it back in the queue or park it.",
    )
    TOO_FEW_CALLS = (
        ProblemCode.TOO_EARLY,
        "{number} was called {calls} of {required} times required before a no-show.",
        Action.RECALL,
    )
    RECALL_TOO_EARLY = ProblemCode.TOO_EARLY, "{number} can be called again in {seconds} seconds.", _HURRIED
    NO_SHOW_TOO_EARLY = ProblemCode.TOO_EARLY, "{number} can be marked as a no-show in {seconds} seconds.", _HURRIED
    PAST_TIME = ProblemCode.INVALID, "That time is in the past.", "Choose a later time, or none."
    NOTHING_TO_EDIT = ProblemCode.INVALID, "Neither a name nor an e-mail address is given.", "Give one of them."
    TWO_TIMES = ProblemCode.INVALID, "Both 'until' and 'untilMinutes' are given.", "Give one of them."
    NO_MOVE = ProblemCode.NOTHING_TO_UNDO, "{number} has no move that can be undone.", Action.SHOW_HISTORY
    UNDO_TOO_LATE = (
        ProblemCode.NOTHING_TO_UNDO,
        "The last move of {number} is more than {minutes} minutes ago.",
        Action.SHOW_HISTORY,
    )
    NUMBER_TAKEN = ProblemCode.EXISTS, "Another customer now holds number {number}.", Action.ISSUE_ANOTHER
    SOME_NUMBER_TAKEN = ProblemCode.EXISTS, "Another customer now holds the same number.", Action.ISSUE_ANOTHER
    USER_WAITS = ProblemCode.ALREADY_WAITING, "User {user} already holds {number} in {department}.", Action.SHOW_TOKEN
    TWO_FOR_ONE_USER = (
        ProblemCode.INVALID,
        "A registered user can hold only one token per department.",
        "List each user only once.",
    )
    SOME_USER_WAITS = ProblemCode.ALREADY_WAITING, "This user already holds a token here.", _LOOK_AGAIN
    OUT_OF_ORDER_WITHOUT_REASON = ProblemCode.INVALID, "Calling out of order needs a reason.", "Give one in 'reason'."
    OUT_OF_ORDER_BY_STAFF = (
        ProblemCode.FORBIDDEN,
        "Only admins may call out of order in {department}.",
        Action.CALL_NEXT,
    )
    CANCEL_BY_DESK = (ProblemCode.FORBIDDEN, "{number} is {state}: only staff may cancel it now.", ASK_ADMIN)
    WAITING_BY_DESK = (
        ProblemCode.FORBIDDEN,
        "{number} is {state}: '{verb}' is now for staff only.",
        "Ask the staff of the department.",
    )
    UNDO_BY_DESK = (
        ProblemCode.FORBIDDEN,
        "You can undo only your own moves; the last move of {number} was made by someone else.",
        "Ask the staff of the department.",
    )


class CounterReason(Reason):
    """About one counter."""

    UNKNOWN = ProblemCode.UNKNOWN_COUNTER, "There is no counter {counter}.", Action.LIST_COUNTERS
    MISSPELT = ProblemCode.UNKNOWN_COUNTER, "There is no counter {counter}.", Action.CHOOSE_COUNTER
    UNDECLARED = (
        ProblemCode.UNKNOWN_COUNTER,
        "There is no counter {counter}. Declared counters: {counters}.",
        Action.ADD_COUNTER,
    )
    UNDECLARED_MISSPELT = ProblemCode.UNKNOWN_COUNTER, "There is no counter {counter}.", Action.CHOOSE_OR_ADD_COUNTER
    PAUSED = ProblemCode.COUNTER_PAUSED, "Counter {counter} is paused.", Action.OPEN_COUNTER
    CLOSED = ProblemCode.COUNTER_CLOSED, "Counter {counter} is closed.", Action.OPEN_COUNTER
    CLAIMED = ProblemCode.COUNTER_CLAIMED, "Counter {counter} is in use by {operator}.", Action.TAKE_OVER
    DECLARED = ProblemCode.EXISTS, "Counter {counter} is set up to serve {departments}.", Action.DECLARE_COUNTER
    BUSY = (
        ProblemCode.COUNTER_BUSY,
        "Counter {counter} still holds {number}.",
        "Serve it, mark it as a no-show or put it back in the queue first.",
    )
    BUSY_BY_NOW = ProblemCode.COUNTER_BUSY, "The counter already holds a token.", _LOOK_AGAIN
    IN_USE = (
        ProblemCode.IN_USE,
        "Counter {counter} holds a token.",
        "Serve that token or put it back in the queue first.",
    )
    NOT_AMONG_ITS_COUNTERS = (
        ProblemCode.COUNTER_NOT_SERVING,
        "Counter {counter} does not serve {department}.",
        "Its counters are {counters}.",
    )
    NOT_ITS_DEPARTMENT = (
        ProblemCode.COUNTER_NOT_SERVING,
        "Counter {counter} does not serve {department}.",
        "It serves {departments}.",
    )
    HOLDS_OTHERS = (
        ProblemCode.FORBIDDEN,
        "Counter {counter} holds {number} of {department}, where you do not work.",
        "Choose another counter, or ask the staff of {department}.",
    )
    SERVES_OTHERS = (
        ProblemCode.FORBIDDEN,
        "Counter {counter} serves none of your departments.",
        "Ask an admin for another role or work profile.",
    )


class DepartmentReason(Reason):
    """About a department and its queue."""

    UNKNOWN = ProblemCode.UNKNOWN_DEPARTMENT, "There is no department {department}.", Action.LIST_DEPARTMENTS
    NOT_IN_BRANCH = (
        ProblemCode.UNKNOWN_DEPARTMENT,
        "There is no department {department} in branch {branch}.",
        Action.LIST_DEPARTMENTS,
    )
    EMPTY = ProblemCode.QUEUE_EMPTY, "Nobody is waiting in {departments}.", Action.WAIT_FOR_SOMEBODY
    TOO_MANY_TAKEN = (
        ProblemCode.RATE_LIMITED,
        "You have taken too many numbers in {department} today.",
        "Ask the staff there, or try again in {minutes} minutes.",
    )
    TOO_MANY_ISSUED = (
        ProblemCode.RATE_LIMITED,
        "{name} has issued too many numbers in the last minute.",
        "Try again in {seconds} s, or ask an admin for a higher limit.",
    )
    CLOSED = ProblemCode.DEPARTMENT_CLOSED, "{name} ({department}) is closed.", Action.OPEN_DEPARTMENT
    CLOSED_NOW = (ProblemCode.DEPARTMENT_CLOSED, "{name} ({department}) is closed now.", Action.ISSUE_BEFORE_OPENING)
    CLOSED_TODAY = (
        ProblemCode.DEPARTMENT_CLOSED,
        "{name} ({department}) is closed today.",
        Action.ISSUE_BEFORE_OPENING,
    )
    CLOSED_NOW_FOR_GOOD = (
        ProblemCode.DEPARTMENT_CLOSED,
        "{name} ({department}) is closed now.",
        Action.ISSUE_WITHOUT_HOURS,
    )
    CLOSED_TODAY_FOR_GOOD = (
        ProblemCode.DEPARTMENT_CLOSED,
        "{name} ({department}) is closed today.",
        Action.ISSUE_WITHOUT_HOURS,
    )
    CAP_LEAVES_FEWER = (
        ProblemCode.DEPARTMENT_FULL,
        "{name} ({department}) issues at most {cap} numbers a day and has issued {given} today: {left} are left, "
        "not {count}.",
        Action.ISSUE_BY_FORCE,
    )
    CAP_REACHED = (
        ProblemCode.DEPARTMENT_FULL,
        "{name} ({department}) issues at most {cap} numbers a day and has issued {given} today.",
        Action.ISSUE_BY_FORCE,
    )
    CLOSES_SOON = (
        ProblemCode.DEPARTMENT_FULL,
        "{name} ({department}) no longer issues numbers this close to closing time.",
        Action.ISSUE_BY_FORCE,
    )
    NO_TIME_LEFT = (
        ProblemCode.DEPARTMENT_FULL,
        "{name} ({department}) could not serve another customer before it closes, at today's pace.",
        Action.ISSUE_BY_FORCE,
    )
    NOT_YOURS = (ProblemCode.FORBIDDEN, "You are not staff of {department}.", ASK_ADMIN)
    NOT_ON_BOARD = (ProblemCode.FORBIDDEN, "This board's key does not include {department}.", ASK_ADMIN)
    NO_SELF_SERVICE = ProblemCode.FORBIDDEN, "{department} does not issue numbers here.", "Ask at the desk."
    MAY_NOT_ISSUE = (ProblemCode.FORBIDDEN, "You may not issue tokens in {department}.", ASK_ADMIN)
    MAY_NOT_PUT_FIRST = (
        ProblemCode.FORBIDDEN,
        "Only staff of {department} may put a token first there.",
        "Use position 'original' or 'last', or ask the staff of {department}.",
    )
    MAY_NOT_FORCE = (
        ProblemCode.FORBIDDEN,
        "Only staff may issue numbers outside opening hours or above the daily limit.",
        ASK_ADMIN,
    )
    MAY_NOT_PRIORITISE = (
        ProblemCode.FORBIDDEN,
        "Only staff may give priority or issue numbers outside opening hours.",
        ASK_ADMIN,
    )
    ONLY_FOR_YOURSELF = (ProblemCode.FORBIDDEN, "You may only issue tokens for yourself.", ASK_ADMIN)
    STILL_BUSY = (
        ProblemCode.IN_USE,
        "Customers are still waiting or being served in {department}.",
        "Serve or cancel those tokens first.",
    )
    STILL_BUSY_TO_MOVE = (
        ProblemCode.IN_USE,
        "Customers are still waiting or being served in {department}, so it cannot leave branch {branch}.",
        "Move it when the queue is empty.",
    )
