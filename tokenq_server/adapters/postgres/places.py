"""How a department is read, with what comes from its branch."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, Text, cast
from sqlalchemy.sql.elements import ColumnElement

from tokenq_server.adapters.postgres.tables import branch, department

DEPARTMENT: tuple[ColumnElement[Any], ...] = (
    *(column for column in department.c if column.name != "rules"),
    cast(department.c.rules, Text).label("rules"),
    branch.c.timezone,
    branch.c.rollover_hour,
    cast(branch.c.hours, Text).label("branch_hours"),
    (department.c.max_wait_minutes * cast(timedelta(minutes=1), Interval)).label("max_wait"),
)
"""The columns that ``department_from`` reads, for a select that joins department and branch."""
