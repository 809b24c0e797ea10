"""The bucket: S3 client, objects, protections, encryption and compression."""
