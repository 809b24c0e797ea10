"""The same program without the Pulumi CLI."""
