"""Records to store."""

from comprehend_engine.storage.records import (
    DatasetRecord,
    EndpointRecord,
    FlywheelRecord,
    IterationRecord,
    JobRecord,
    ModelRecord,
    TagsRecord,
)

ARN = "arn:aws:comprehend:us-east-1:123456789012:flywheel/f"
FLYWHEEL = FlywheelRecord(
    arn=ARN,
    name="f",
    status="ACTIVE",
    data_access_role_arn="role",
    data_lake_s3_uri="s3://lake/f/",
    language_code="en",
    labels=("a", "b"),
    creation_time=1.5,
    last_modified_time=1.5,
    data_security_config={"VpcConfig": {"Subnets": ["s"]}},
)
ITERATION = IterationRecord(ARN, "20260101T000000Z", "TRAINING", 2.0, "model", "s3://lake/f/e/")
MODEL = ModelRecord("model", ARN, "TRAINED", "en", ("a", "b"), "role", 2.0, "s3://lake/f/e/")
DATASET = DatasetRecord("dataset", ARN, "d", "TRAIN", "COMPLETED", (), "s3://lake/f/d/", 2.0)
ENDPOINT = EndpointRecord("endpoint", "e", "IN_SERVICE", "model", "model", 1, 3.0, 3.0)
JOB = JobRecord("1", "job", "CLN", "SUBMITTED", "model", "s3://out/", {"JobName": "j"}, 4.0)
TAGS = TagsRecord(ARN, ARN, {"team": "a"})
