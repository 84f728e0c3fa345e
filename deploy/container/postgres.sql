-- tokenq's database and its users, each with the password of its program. Runs once, in an empty volume.
\getenv owner OWNER_PASSWORD
\getenv api API_PASSWORD
\getenv relay RELAY_PASSWORD
\getenv notify NOTIFY_PASSWORD
CREATE ROLE tokenq LOGIN PASSWORD :'owner';
CREATE DATABASE tokenq OWNER tokenq;
\connect tokenq
\i /etc/tokenq/roles.sql
ALTER ROLE tokenq_api PASSWORD :'api';
ALTER ROLE tokenq_relay PASSWORD :'relay';
ALTER ROLE tokenq_notify PASSWORD :'notify';
-- Its log outlives an erasure, so that it must not name people: see docs/own-stores.md.
ALTER DATABASE tokenq SET log_error_verbosity = terse;
ALTER DATABASE tokenq SET log_min_error_statement = panic;
ALTER DATABASE tokenq SET log_statement = none;
ALTER DATABASE tokenq SET log_min_duration_statement = -1;
ALTER DATABASE tokenq SET log_parameter_max_length = 0;
ALTER DATABASE tokenq SET log_parameter_max_length_on_error = 0;
