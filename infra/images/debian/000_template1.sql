-- As in the official image: databases made later have the extension from the start.
\connect template1
CREATE EXTENSION IF NOT EXISTS timescaledb;
