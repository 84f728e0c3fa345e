"""Every rule by its code, in plain words. Codes are stable: scripts and reports name them."""

RULES: dict[str, str] = {
    "N1": "No department gives the same number twice on a day.",
    "N2": "A day's numbers run 1, 2, 3 … without a gap.",
    "N3": "Numbers are given in the order of the log.",
    "N8": "Nobody holds two live tokens in one department.",
    "N9": "The business day never goes back, and is the branch's at that moment.",
    "S1": "Whoever is at a counter is not called to another one.",
    "S2": "Nobody is served twice.",
    "S3": "Every move is one of the table, from the state the token was in.",
    "S4": "Whoever is called was first of their class, and urgent ones go first.",
    "S5": "A counter holds one person at most.",
    "S7": "As many are counted as waiting as there are.",
    "L1": "A department's log counts 1, 2, 3 … to its last entry.",
    "L2": "Every token is what its log says, and every entry has its token.",
    "L3": "Every entry says truly what it does to the line.",
    "L4": "Every entry is an event in the promised format.",
    "R1": "The line in Redis, with the log since, is who waits.",
    "R3": "Redis stands where the log stands, and counts numbers as it does.",
    "K1": "The topic holds every published entry.",
    "K2": "The topic holds a department's entries in order.",
    "K3": "A reader that drops what it has seen sees each entry once.",
    "K4": "Every record is, to the byte, the log's entry.",
    "K5": "A department's records are in one partition.",
    "M1": "Every event that calls for a letter has one.",
    "M2": "Every letter answers one entry of the log that calls for it.",
    "M3": "A token's letters go out in order.",
    "M4": "Every unreadable record lies in the dead-letter queue once, and every dead letter too.",
    "M6": "Every letter goes to the address kept with the token.",
}
"""What the stores alone can tell."""

AT_REST = frozenset({"R3"})
"""Those that only hold while nothing is in flight."""
