"""Jobs in which one model answers a file of documents: classification and entity detection.

Each method is one call. Read next: `application.comparison.answers` (what they are for).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.service_errors import translate_aws_errors
from application.port_values import AnswerJob, is_detection

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

_RECOGNIZER = ":entity-recognizer/"


@dataclass(frozen=True, slots=True)
class AnswerJobs:
    """Calls that start and describe jobs, with the flywheel's own data access role.

    Parameters
    ----------
    flywheel_arn : str
    client : ComprehendClient
    """

    flywheel_arn: str
    client: "ComprehendClient"

    def start(self, model_arn: str, input_uri: str, output_uri: str, token: str) -> str:
        """Start a job on one document a line and return its ARN; a repeat returns the same.

        Raises
        ------
        ServiceRefusedError
            E.g. ResourceLimitExceededException, or the role may not be passed on.
        """
        with translate_aws_errors("comprehend:DescribeFlywheel"):
            answer = self.client.describe_flywheel(FlywheelArn=self.flywheel_arn)
        flywheel = answer["FlywheelProperties"]
        request: dict[str, Any] = {
            "InputDataConfig": {"S3Uri": input_uri, "InputFormat": "ONE_DOC_PER_LINE"},
            "OutputDataConfig": {"S3Uri": output_uri},
            "DataAccessRoleArn": flywheel["DataAccessRoleArn"],
            "ClientRequestToken": token,
        }
        if _RECOGNIZER in model_arn:
            with translate_aws_errors("comprehend:StartEntitiesDetectionJob"):
                detection = self.client.start_entities_detection_job(
                    EntityRecognizerArn=model_arn,
                    LanguageCode=flywheel["TaskConfig"]["LanguageCode"],
                    **request,
                )
            return detection["JobArn"]
        with translate_aws_errors("comprehend:StartDocumentClassificationJob"):
            classification = self.client.start_document_classification_job(
                DocumentClassifierArn=model_arn, **request
            )
        return classification["JobArn"]

    def describe(self, job_arn: str) -> AnswerJob:
        """Return a job as it is now."""
        job_id = job_arn.rsplit("/", 1)[-1]
        properties: Any
        if is_detection(job_arn):
            with translate_aws_errors("comprehend:DescribeEntitiesDetectionJob"):
                properties = self.client.describe_entities_detection_job(JobId=job_id)[
                    "EntitiesDetectionJobProperties"
                ]
        else:
            with translate_aws_errors("comprehend:DescribeDocumentClassificationJob"):
                properties = self.client.describe_document_classification_job(JobId=job_id)[
                    "DocumentClassificationJobProperties"
                ]
        began, ended = properties.get("SubmitTime"), properties.get("EndTime")
        model = properties.get("DocumentClassifierArn") or properties.get("EntityRecognizerArn")
        return AnswerJob(
            arn=job_arn,
            model=model or "",
            status=properties.get("JobStatus", ""),
            message=properties.get("Message", ""),
            output_uri=properties.get("OutputDataConfig", {}).get("S3Uri", ""),
            seconds=round((ended - began).total_seconds(), 3) if began and ended else 0.0,
        )
