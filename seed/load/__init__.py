"""Loading the development data into the database: by COPY, in portions that can be resumed."""
