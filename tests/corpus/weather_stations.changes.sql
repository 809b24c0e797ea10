-- change: snow is measured
ALTER TABLE observations ADD COLUMN snow_cm smallint;
-- change: wind is more exact
ALTER TABLE observations ALTER COLUMN rain_mm SET DEFAULT 0;
ALTER TABLE stations ALTER COLUMN elevation TYPE double precision;
-- change: forecasts older than a year go
SELECT add_retention_policy('forecasts', INTERVAL '1 year');
-- change: a level of warning
ALTER TYPE warning_level ADD VALUE 'violet';
-- change: heat needs no humidity below twenty degrees
CREATE OR REPLACE FUNCTION heat_index(temp double precision, humidity double precision DEFAULT 50) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT CASE WHEN temp < 20 THEN temp ELSE -8.78469475556 + 1.61139411 * temp + 2.33854883889 * humidity END $$;
