"""The accepted forms of KMS keys, as the service's model describes them."""

import pytest

from comprehend_engine.errors import ServiceError
from comprehend_engine.operations.request_checks import check_keys

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OF_ACCOUNT = "arn:aws:kms:us-west-2:111122223333"


@pytest.mark.parametrize(
    "key",
    [
        ID,
        f"mrk-{ID.replace('-', '')}",
        f"{OF_ACCOUNT}:key/{ID}",
        f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/{ID}",
        "alias/ExampleAlias",
        f"{OF_ACCOUNT}:alias/ExampleAlias",
    ],
)
def test_a_key_is_taken_when_it_has_one_of_the_forms(key: str) -> None:
    """Wherever it stands in a request."""
    check_keys({"VolumeKmsKeyId": key, "OutputDataConfig": {"KmsKeyId": key}, "JobName": "a"})


@pytest.mark.parametrize(
    "key", ["key", f"{ID}0", f"key/{ID}", f"{OF_ACCOUNT}:{ID}", "alias/", f" {ID}", "x" + ID]
)
def test_a_key_is_refused_when_it_has_none_of_them(key: str) -> None:
    """The message names the member with its path."""
    with pytest.raises(ServiceError, match=r"KmsKeyValidation.*OutputDataConfig\.KmsKeyId '"):
        check_keys({"OutputDataConfig": {"S3Uri": "s3://a", "KmsKeyId": key}})
