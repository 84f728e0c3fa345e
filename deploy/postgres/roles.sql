-- A user per program, so that none can do more than it has to. Run it once in tokenq's database, as a superuser
-- (from PostgreSQL 15 on, a role with CREATEROLE is enough):
--   psql -d tokenq -f roles.sql
-- Then give each a password, and put it into that program's TOKENQ_DATABASE_URL:
--   \password tokenq_api
-- 'tokenq server migrate', run by the owner of the tables, grants the privileges, also those of new releases.
CREATE ROLE tokenq_api LOGIN;
CREATE ROLE tokenq_relay LOGIN;
CREATE ROLE tokenq_notify LOGIN;
-- For 'tokenq verify', 'tokenq doctor' and reports. 'tokenq server rewind' and 'rebuild' need the owner.
CREATE ROLE tokenq_read LOGIN;
-- Before PostgreSQL 15, everybody with a login may create tables and functions in the schema public, among tokenq's.
-- From then on only the database's owner may.
SELECT format('GRANT ALL ON SCHEMA public TO %I', pg_get_userbyid(datdba))
  FROM pg_database WHERE datname = current_database() \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
