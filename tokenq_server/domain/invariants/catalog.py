"""Every invariant by its code. Codes are stable: scripts and reports refer to them."""

RULES: dict[str, str] = {
    "N1": "No department issues the same number twice in a day.",
    "N2": "A day's numbers run 1, 2, 3 … without gaps.",
    "N3": "Numbers are issued in log order.",
    "N8": "No user holds two live tokens in one department.",
    "N9": "The business day never goes back and matches the branch's clock.",
    "S1": "A token at a counter is not called to another one.",
    "S2": "No token is served twice.",
    "S3": "Every move is allowed by the table of verbs from the token's state.",
    "S4": "Each called token was first in its class, and urgent tokens go first.",
    "S5": "A counter holds at most one token.",
    "S7": "The count of waiting tokens is correct.",
    "L1": "A department's log runs 1, 2, 3 … to its last entry.",
    "L2": "Every token matches its log, and every entry has its token.",
    "L3": "Every entry records correctly what it does to the queue.",
    "L4": "Every entry is an event in the documented format.",
    "R1": "The queue in Redis, brought up to date from the log, matches the waiting tokens.",
    "R3": "Redis is at the same seq as the log and has the same last number.",
    "K1": "The topic contains every published entry.",
    "K2": "The topic contains a department's entries in order.",
    "K3": "A reader that drops duplicates sees each entry once.",
    "K4": "Every record equals its log entry, byte for byte.",
    "K5": "A department's records are in one partition.",
    "M1": "Every event that requires a notification has one.",
    "M2": "Every notification belongs to one log entry that requires it.",
    "M3": "A token's notifications are sent in order.",
    "M4": "Every unreadable record and every failed notification is in the dead-letter queue once.",
    "M6": "Every notification goes to the address stored with the token.",
}
"""Invariants that the stores alone can show."""

AT_REST = frozenset({"R3"})
"""Invariants that only hold while nothing is in flight."""
