"""The bucket: its S3 client, its objects, its protections, and what they are encrypted and compressed with."""
