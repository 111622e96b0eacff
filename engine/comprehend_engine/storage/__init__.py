"""State on disk and in S3: records in SQLite, the data directory, the data lake."""
