-- A user per program, so that none can do more than it has to. Run it once, as a superuser or a role with CREATEROLE:
--   psql -f roles.sql
-- Then give each a password, and put it into that program's TOKENQ_DATABASE_URL:
--   \password tokenq_api
-- 'tokenq server migrate', run by the owner of the tables, grants the privileges, also those of new releases.
CREATE ROLE tokenq_api LOGIN;
CREATE ROLE tokenq_relay LOGIN;
CREATE ROLE tokenq_notify LOGIN;
-- For 'tokenq verify', 'tokenq doctor' and reports. 'tokenq server rewind' and 'rebuild' need the owner.
CREATE ROLE tokenq_read LOGIN;
