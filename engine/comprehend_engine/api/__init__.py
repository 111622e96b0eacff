"""The API on the wire: HTTP, awsJson1.1, validation against botocore's model, injected faults."""
