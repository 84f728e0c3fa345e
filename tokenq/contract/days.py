"""How a business day is named in requests: a date, or a word that the server reads on the branch's calendar."""

import re

TODAY = "today"
YESTERDAY = "yesterday"
LAST_WEEK = "last-week"
"""Seven days, Monday to Sunday: only where a range is possible."""

WORDS = (TODAY, YESTERDAY, LAST_WEEK)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
LONGEST_RANGE = 400
"""Days that a report covers at most."""
