"""Whom the stores know: a user per program, so that none can do more than it has to.

Under ``tokenq up`` the API's process also has the logins that migrate the tables and load the functions.
"""

API = "tokenq_api"
RELAY = "tokenq_relay"
NOTIFY = "tokenq_notify"
READ = "tokenq_read"
"""For ``tokenq verify``, ``tokenq doctor`` and whoever makes reports."""

PROGRAMS = (API, RELAY, NOTIFY, READ)
"""PostgreSQL's roles beside the owner of the tables."""

REDIS_USER = "tokenq"
"""Redis's user of the API, notify and the maintenance commands; it may not load functions."""

REDIS_RULES = (
    "~tq:* resetchannels -@all "
    "+fcall +fcall_ro +hget +hset +get +set +incrby +expire +zadd +zrem +zcount +zcard +zrange +rpush +lrange "
    "+del +exists +rename +time +multi +exec +ping +info +select +client|setinfo +client|setname +cluster|slots"
)
"""What it may do: call our functions, with the commands inside them, and look at our keys. See ``ACL`` in Redis."""
