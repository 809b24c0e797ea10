"""Containers beside the database: the S3 server, the backup runner, the drill server."""
