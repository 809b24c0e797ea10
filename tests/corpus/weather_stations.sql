-- Style: a weather service: stations with positions, observations, forecasts, warnings.
-- Exercises: earthdistance and cube, point and array columns, TIMESTAMP without time zone, NOT NULL everywhere,
-- aggregates with offset and origin, a plain materialized view, function with default arguments and OUT parameters.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS cube;
CREATE EXTENSION IF NOT EXISTS earthdistance;
CREATE TABLE stations (wmo_id integer NOT NULL, name varchar(64) NOT NULL, country char(2) NOT NULL, position point NOT NULL, elevation real DEFAULT 0, sensors text[] NOT NULL DEFAULT '{}',
    CONSTRAINT stations_pkey PRIMARY KEY (wmo_id), CONSTRAINT stations_elevation CHECK (elevation BETWEEN -430 AND 8849));
CREATE INDEX stations_position ON stations USING gist (position);
CREATE TABLE observations (station integer NOT NULL, time timestamp without time zone NOT NULL, temp_c real, pressure_hpa numeric(6,1), wind_dir smallint, wind_ms real, rain_mm real DEFAULT 0.0,
    CONSTRAINT observations_pkey PRIMARY KEY (station, time), CONSTRAINT observations_station_fkey FOREIGN KEY (station) REFERENCES stations (wmo_id) ON DELETE CASCADE,
    CONSTRAINT observations_dir CHECK (wind_dir >= 0 AND wind_dir < 360));
SELECT create_hypertable('observations', 'time', chunk_time_interval => INTERVAL '14 days');
CREATE TABLE forecasts (station integer NOT NULL REFERENCES stations, issued timestamptz NOT NULL, valid_at timestamptz NOT NULL, model varchar(16) NOT NULL, temp_c real, PRIMARY KEY (station, model, issued, valid_at));
SELECT create_hypertable('forecasts', 'issued', chunk_time_interval => INTERVAL '3 days');
CREATE TYPE warning_level AS ENUM ('green', 'yellow', 'orange', 'red');
CREATE TABLE warnings (id bigserial PRIMARY KEY, level warning_level NOT NULL DEFAULT 'green', area polygon, during tsrange NOT NULL, text_by_language jsonb NOT NULL);
CREATE INDEX warnings_during ON warnings USING gist (during);
CREATE FUNCTION heat_index(temp double precision, humidity double precision DEFAULT 50) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT -8.78469475556 + 1.61139411 * temp + 2.33854883889 * humidity - 0.14611605 * temp * humidity $$;
CREATE FUNCTION station_span(IN p_station integer, OUT first_seen timestamp, OUT last_seen timestamp) LANGUAGE sql STABLE AS
    $$ SELECT min(time), max(time) FROM observations WHERE station = p_station $$;
CREATE MATERIALIZED VIEW station_neighbours AS
    SELECT a.wmo_id, b.wmo_id AS neighbour, a.position <@> b.position AS miles FROM stations a JOIN stations b ON a.wmo_id <> b.wmo_id WITH NO DATA;
CREATE UNIQUE INDEX station_neighbours_pair ON station_neighbours (wmo_id, neighbour);
INSERT INTO stations SELECT 11000 + n, 'Station ' || n, 'AT', point(16 + n / 10.0, 48), n * 20, ARRAY['temp', 'wind'] FROM generate_series(1, 10) n;
INSERT INTO observations SELECT 11001 + n % 5, '2026-01-01'::timestamp + n * interval '1 hour', n % 30 - 10, 1000 + n % 30, n % 360, n % 20, 0 FROM generate_series(1, 800) n;
INSERT INTO forecasts SELECT 11001 + n % 5, '2026-01-01'::timestamptz + (n / 10) * interval '6 hours', '2026-01-02'::timestamptz + n * interval '1 hour', 'ifs', n % 20 FROM generate_series(1, 200) n;
INSERT INTO warnings (level, during, text_by_language) SELECT 'yellow', tsrange('2026-01-01', '2026-01-02'), '{"de": "Sturm"}' FROM generate_series(1, 5) n;
REFRESH MATERIALIZED VIEW station_neighbours;
ALTER TABLE observations SET (timescaledb.compress, timescaledb.compress_segmentby = 'station', timescaledb.compress_orderby = 'time DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('observations', older_than => '2026-01-20'::timestamp) c;
SELECT add_compression_policy('observations', INTERVAL '60 days');
CREATE MATERIALIZED VIEW observations_weekly WITH (timescaledb.continuous) AS
    SELECT station, time_bucket('7 days', time, TIMESTAMP '2026-01-05') AS week, avg(temp_c) AS temp_c, max(wind_ms) AS gust, sum(rain_mm) AS rain_mm FROM observations GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW observations_daily WITH (timescaledb.continuous) AS
    SELECT station, time_bucket('1 day', time, "offset" => INTERVAL '6 hours') AS day, min(temp_c) AS low, max(temp_c) AS high, count(temp_c) AS n FROM observations GROUP BY 1, 2
    HAVING count(temp_c) > 0 WITH NO DATA;
CALL refresh_continuous_aggregate('observations_weekly', NULL, NULL);
CALL refresh_continuous_aggregate('observations_daily', NULL, NULL);
SELECT add_continuous_aggregate_policy('observations_daily', INTERVAL '7 days', INTERVAL '1 hour', INTERVAL '1 hour');
