-- Run once, on the server's first start, by the superuser over the socket.
-- A failed statement of the administrator's is not logged with its text: it may be a CREATE ROLE with a password.
ALTER ROLE postgres SET log_min_error_statement = panic;
-- Databases are entered by those who were granted CONNECT, not by everybody.
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
