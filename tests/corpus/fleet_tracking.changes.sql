-- change: positions carry the altitude
ALTER TABLE positions ADD COLUMN altitude_m real, ADD COLUMN satellites smallint DEFAULT 0;
-- change: hydrogen
ALTER TABLE vehicles DROP CONSTRAINT vehicles_fuel_check;
ALTER TABLE vehicles ADD CONSTRAINT vehicles_fuel_check CHECK (fuel IN ('diesel', 'petrol', 'electric', 'hybrid', 'hydrogen'));
-- change: trips belong to a company
ALTER TABLE trips ADD COLUMN company_id uuid REFERENCES companies (id);
CREATE INDEX trips_company_idx ON trips (company_id, started_at);
-- change: drivers' licences are unique and required
ALTER TABLE drivers ALTER COLUMN license_no SET DEFAULT 'unknown', ADD CONSTRAINT drivers_license_len CHECK (length(license_no) < 40);
-- change: trips are closed twice an hour
SELECT (alter_job(job_id, schedule_interval => INTERVAL '30 minutes')).job_id FROM timescaledb_information.jobs WHERE proc_name = 'close_trips';
