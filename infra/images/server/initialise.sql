-- Run once, on the server's first start, by the superuser over the socket.
-- No statement of the administrator's is logged with its text: it may be a CREATE ROLE with a password.
ALTER ROLE postgres SET log_min_error_statement = panic;
ALTER ROLE postgres SET log_statement = none;
ALTER ROLE postgres SET log_min_duration_statement = -1;
-- The owner makes functions in the schema public. A superuser who found one of them in place of the server's own, by
-- its argument types, would run it as a superuser.
ALTER ROLE postgres SET search_path = pg_catalog;
-- Databases are entered by those who were granted CONNECT, not by everybody.
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
