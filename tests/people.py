"""Callers for tests in which it does not matter: all may work in every department."""

from tokenq.contract.enums import Role
from tokenq_server.domain.principal import Principal

ANN = Principal("session", 1, "ann", Role.STAFF, user_id=1)
BEN = Principal("session", 2, "ben", Role.STAFF, user_id=2)
DESK = Principal("key", 3, "desk", Role.STAFF)
