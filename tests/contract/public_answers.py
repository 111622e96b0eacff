"""What is public of the service's answers: by source and operation, the members that they have.

Facts only, read off the sources and written down here; `tests.contract.test_comprehend_engine`
holds the engine against each, docs/parity.md lists them. Read next: `tests.contract.parity`.

Notes
-----
*Source*: recorded answers of the service in Cloud Custodian (tests/data/placebo,
test_comprehend_*); examples of the AWS CLI (awscli/examples/comprehend); Terraform's AWS provider
(internal/service/comprehend); CloudFormation Template Reference, AWS::Comprehend::Flywheel, and the
public handler of that type; aws_cdk.aws_comprehend; botocore's documentation of the operations.
"""

from dataclasses import dataclass, field

RECORDED = "Cloud Custodian, recorded"
EXAMPLE = "AWS CLI, example"
TERRAFORM = "Terraform's provider"
CLOUDFORMATION = "CloudFormation"
CDK = "CDK"
BOTOCORE = "botocore, documentation"


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """An answer of an operation in a source.

    Parameters
    ----------
    source, operation : str
    root : str
        The member that holds the others, empty where there is none.
    members : str
        What the source shows under it, a list's as its items' members, separated by spaces.
    lacking : dict
        Members that the engine never answers, each with the reason.
    """

    source: str
    operation: str
    root: str
    members: str
    lacking: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, str]:
        """The members, by their path from the answer."""
        return {
            f"{self.root}.{member}" if self.root else member: member
            for member in self.members.split()
        }


@dataclass(frozen=True, slots=True)
class PublicRule:
    """What a source says of the service's behavior, and the test that holds the engine to it."""

    source: str
    rule: str
    test: str


_TASK = (
    "TaskConfig.LanguageCode TaskConfig.DocumentClassificationConfig.Mode "
    "TaskConfig.DocumentClassificationConfig.Labels"
)
_SUMMARY = "FlywheelArn DataLakeS3Uri Status ModelType CreationTime LastModifiedTime"
_SECURITY = (
    "DataSecurityConfig.ModelKmsKeyId DataSecurityConfig.VolumeKmsKeyId "
    "DataSecurityConfig.VpcConfig.SecurityGroupIds DataSecurityConfig.VpcConfig.Subnets"
)
_VPC = "VpcConfig.SecurityGroupIds VpcConfig.Subnets"
_ITERATION = (
    "FlywheelArn FlywheelIterationId CreationTime EndTime Status Message EvaluatedModelArn "
    "EvaluatedModelMetrics.AverageF1Score EvaluatedModelMetrics.AveragePrecision "
    "EvaluatedModelMetrics.AverageRecall EvaluatedModelMetrics.AverageAccuracy "
    "EvaluationManifestS3Prefix"
)
_DATASET = "DatasetArn DatasetName DatasetType DatasetS3Uri Status CreationTime"
_MODEL = (
    "LanguageCode Status SubmitTime EndTime TrainingStartTime TrainingEndTime DataAccessRoleArn "
    "InputDataConfig.DataFormat VersionName"
)
_CLASSIFIER = (
    f"DocumentClassifierArn {_MODEL} InputDataConfig.S3Uri OutputDataConfig Mode "
    "ClassifierMetadata.NumberOfLabels ClassifierMetadata.NumberOfTrainedDocuments "
    "ClassifierMetadata.NumberOfTestDocuments ClassifierMetadata.EvaluationMetrics.Accuracy "
    "ClassifierMetadata.EvaluationMetrics.Precision ClassifierMetadata.EvaluationMetrics.Recall "
    "ClassifierMetadata.EvaluationMetrics.F1Score "
    "ClassifierMetadata.EvaluationMetrics.MicroPrecision "
    "ClassifierMetadata.EvaluationMetrics.MicroRecall "
    "ClassifierMetadata.EvaluationMetrics.MicroF1Score "
    "ClassifierMetadata.EvaluationMetrics.HammingLoss"
)
_RECOGNIZER_INPUT = (
    "InputDataConfig.EntityTypes.Type InputDataConfig.Documents.S3Uri "
    "InputDataConfig.Documents.InputFormat"
)
_RECOGNIZER = (
    f"EntityRecognizerArn {_MODEL} {_RECOGNIZER_INPUT} InputDataConfig.EntityList.S3Uri "
    "RecognizerMetadata.NumberOfTrainedDocuments RecognizerMetadata.NumberOfTestDocuments "
    "RecognizerMetadata.EvaluationMetrics.Precision RecognizerMetadata.EvaluationMetrics.Recall "
    "RecognizerMetadata.EvaluationMetrics.F1Score RecognizerMetadata.EntityTypes.Type "
    "RecognizerMetadata.EntityTypes.EvaluationMetrics.Precision "
    "RecognizerMetadata.EntityTypes.EvaluationMetrics.Recall "
    "RecognizerMetadata.EntityTypes.EvaluationMetrics.F1Score "
    "RecognizerMetadata.EntityTypes.NumberOfTrainMentions"
)
_ENDPOINT = (
    "EndpointArn Status ModelArn DesiredModelArn DesiredInferenceUnits CurrentInferenceUnits "
    "CreationTime LastModifiedTime"
)
_JOB = (
    "JobId JobArn JobName JobStatus SubmitTime EndTime InputDataConfig.S3Uri "
    "InputDataConfig.InputFormat OutputDataConfig.S3Uri DataAccessRoleArn"
)
_JOB_STARTED = "JobId JobArn JobStatus"
_VERSIONS = "NumberOfVersions LatestVersionCreatedAt LatestVersionName LatestVersionStatus"
_LAKE = "a flywheel's model is made of the data lake, not of files that a caller names"
_NO_FILES = {"InputDataConfig.S3Uri": _LAKE}
_NO_DOCUMENTS = dict.fromkeys(
    (
        *("InputDataConfig.Documents.S3Uri", "InputDataConfig.Documents.InputFormat"),
        *("InputDataConfig.EntityList.S3Uri", "InputDataConfig.Annotations.S3Uri"),
    ),
    _LAKE,
)
_NO_LIST = {name: text for name, text in _NO_DOCUMENTS.items() if "Annotations" not in name}
_NO_ANNOTATIONS = {name: text for name, text in _NO_DOCUMENTS.items() if "List" not in name}

PUBLIC_ANSWERS = (
    PublicAnswer(
        RECORDED,
        "DescribeFlywheel",
        "FlywheelProperties",
        f"{_SUMMARY} DataAccessRoleArn {_TASK} {_SECURITY}",
    ),
    PublicAnswer(RECORDED, "ListFlywheels", "FlywheelSummaryList", _SUMMARY),
    PublicAnswer(RECORDED, "ListTagsForResource", "", "ResourceArn Tags.Key Tags.Value"),
    PublicAnswer(
        RECORDED,
        "DescribeDocumentClassifier",
        "DocumentClassifierProperties",
        f"{_CLASSIFIER} {_VPC} VolumeKmsKeyId Message",
        _NO_FILES,
    ),
    PublicAnswer(
        RECORDED,
        "ListDocumentClassifiers",
        "DocumentClassifierPropertiesList",
        f"{_CLASSIFIER} {_VPC} VolumeKmsKeyId Message",
        _NO_FILES,
    ),
    PublicAnswer(
        RECORDED,
        "DescribeEntityRecognizer",
        "EntityRecognizerProperties",
        f"EntityRecognizerArn {_MODEL} {_RECOGNIZER_INPUT} InputDataConfig.Annotations.S3Uri "
        f"{_VPC} VolumeKmsKeyId Message",
        _NO_ANNOTATIONS,
    ),
    PublicAnswer(
        RECORDED,
        "ListEndpoints",
        "EndpointPropertiesList",
        f"{_ENDPOINT} DataAccessRoleArn DesiredDataAccessRoleArn",
    ),
    PublicAnswer(
        RECORDED,
        "DescribeDocumentClassificationJob",
        "DocumentClassificationJobProperties",
        f"{_JOB} DocumentClassifierArn Message {_VPC} VolumeKmsKeyId",
    ),
    PublicAnswer(
        RECORDED,
        "DescribeEntitiesDetectionJob",
        "EntitiesDetectionJobProperties",
        f"{_JOB} LanguageCode OutputDataConfig.KmsKeyId Message {_VPC} VolumeKmsKeyId",
    ),
    PublicAnswer(EXAMPLE, "CreateFlywheel", "", "FlywheelArn"),
    PublicAnswer(
        EXAMPLE,
        "DescribeFlywheel",
        "FlywheelProperties",
        f"{_SUMMARY} ActiveModelArn DataAccessRoleArn {_TASK} DataSecurityConfig",
    ),
    PublicAnswer(
        EXAMPLE,
        "UpdateFlywheel",
        "FlywheelProperties",
        f"{_SUMMARY} ActiveModelArn DataAccessRoleArn TaskConfig.LanguageCode DataSecurityConfig "
        "TaskConfig.DocumentClassificationConfig.Mode LatestFlywheelIteration",
    ),
    PublicAnswer(
        EXAMPLE,
        "ListFlywheels",
        "FlywheelSummaryList",
        f"{_SUMMARY} ActiveModelArn LatestFlywheelIteration",
    ),
    PublicAnswer(EXAMPLE, "CreateDataset", "", "DatasetArn"),
    PublicAnswer(EXAMPLE, "DescribeDataset", "DatasetProperties", _DATASET),
    PublicAnswer(
        EXAMPLE,
        "ListDatasets",
        "DatasetPropertiesList",
        f"{_DATASET} Description NumberOfDocuments",
    ),
    PublicAnswer(EXAMPLE, "StartFlywheelIteration", "", "FlywheelArn FlywheelIterationId"),
    PublicAnswer(
        EXAMPLE,
        "DescribeFlywheelIteration",
        "FlywheelIterationProperties",
        f"{_ITERATION} TrainedModelArn TrainedModelMetrics.AverageF1Score "
        "TrainedModelMetrics.AveragePrecision TrainedModelMetrics.AverageRecall "
        "TrainedModelMetrics.AverageAccuracy",
    ),
    PublicAnswer(
        EXAMPLE, "ListFlywheelIterationHistory", "FlywheelIterationPropertiesList", _ITERATION
    ),
    PublicAnswer(
        EXAMPLE,
        "ListDocumentClassifiers",
        "DocumentClassifierPropertiesList",
        _CLASSIFIER.replace(" VersionName", ""),
        _NO_FILES,
    ),
    PublicAnswer(
        EXAMPLE,
        "ListDocumentClassifierSummaries",
        "DocumentClassifierSummariesList",
        f"DocumentClassifierName {_VERSIONS}",
    ),
    PublicAnswer(
        EXAMPLE,
        "DescribeEntityRecognizer",
        "EntityRecognizerProperties",
        _RECOGNIZER,
        _NO_LIST,
    ),
    PublicAnswer(
        EXAMPLE,
        "ListEntityRecognizers",
        "EntityRecognizerPropertiesList",
        _RECOGNIZER,
        _NO_LIST,
    ),
    PublicAnswer(
        EXAMPLE,
        "ListEntityRecognizerSummaries",
        "EntityRecognizerSummariesList",
        f"RecognizerName {_VERSIONS}",
    ),
    PublicAnswer(EXAMPLE, "CreateEndpoint", "", "EndpointArn"),
    PublicAnswer(EXAMPLE, "DescribeEndpoint", "EndpointProperties", _ENDPOINT),
    PublicAnswer(EXAMPLE, "ListEndpoints", "EndpointPropertiesList", _ENDPOINT),
    PublicAnswer(EXAMPLE, "ClassifyDocument", "Classes", "Name Score"),
    PublicAnswer(EXAMPLE, "ListTagsForResource", "", "ResourceArn Tags.Key Tags.Value"),
    PublicAnswer(EXAMPLE, "StartDocumentClassificationJob", "", _JOB_STARTED),
    PublicAnswer(
        EXAMPLE,
        "DescribeDocumentClassificationJob",
        "DocumentClassificationJobProperties",
        f"{_JOB} DocumentClassifierArn",
    ),
    PublicAnswer(
        EXAMPLE,
        "ListDocumentClassificationJobs",
        "DocumentClassificationJobPropertiesList",
        f"{_JOB} DocumentClassifierArn",
    ),
    PublicAnswer(EXAMPLE, "StartEntitiesDetectionJob", "", _JOB_STARTED),
    PublicAnswer(
        EXAMPLE,
        "DescribeEntitiesDetectionJob",
        "EntitiesDetectionJobProperties",
        f"{_JOB} LanguageCode",
    ),
    PublicAnswer(
        EXAMPLE,
        "ListEntitiesDetectionJobs",
        "EntitiesDetectionJobPropertiesList",
        f"{_JOB} LanguageCode",
    ),
    PublicAnswer(EXAMPLE, "StopEntitiesDetectionJob", "", "JobId JobStatus"),
    PublicAnswer(
        EXAMPLE,
        "DetectEntities",
        "Entities",
        "Score Type Text BeginOffset EndOffset",
    ),
    PublicAnswer(
        BOTOCORE,
        "ClassifyDocument",
        "",
        "Classes.Name Classes.Score Classes.Page DocumentMetadata.Pages DocumentType.Type",
    ),
)
"""Every public answer of a served operation that has members, and how the engine's differs."""

_CFN = "tests/local_cloud/stack/test_stack_update.py"
_AUDIT = "tests/local_cloud/test_template_audit.py"
_LIFE = "engine/tests/operations"
PUBLIC_RULES = (
    PublicRule(
        TERRAFORM,
        "a model is stopped before every deletion: `StopTraining...` of one that does not train "
        "succeeds, and it stays as it is",
        f"{_LIFE}/test_model_termination.py::test_a_model_stays_trained_when_its_training_is_stopped_late",
    ),
    PublicRule(
        TERRAFORM,
        "a deleted model is DELETING, then its description is ResourceNotFoundException",
        f"{_LIFE}/test_model_termination.py::test_a_model_is_gone_when_it_was_deleted",
    ),
    PublicRule(
        CLOUDFORMATION,
        "ActiveModelArn, DataAccessRoleArn, DataSecurityConfig and Tags change in place",
        "tests/local_cloud/stack/test_flywheel_resource.py"
        "::test_all_that_may_change_does_when_a_flywheel_is_updated",
    ),
    PublicRule(
        CLOUDFORMATION,
        "FlywheelName, ModelType, DataLakeS3Uri and TaskConfig replace the flywheel",
        f"{_CFN}::test_what_refers_to_a_flywheel_follows_when_it_is_replaced",
    ),
    PublicRule(
        CLOUDFORMATION,
        "a name that is in use fails the update, and the flywheel stays",
        f"{_CFN}::test_the_old_flywheel_stays_when_its_name_is_taken",
    ),
    PublicRule(
        CDK,
        "`CfnFlywheel`: every property is served",
        f"{_AUDIT}::test_every_property_of_a_flywheel_is_served_when_cdk_has_it",
    ),
    PublicRule(
        CDK,
        "classifiers, recognizers and their endpoints: not served; a stack with one is refused",
        f"{_AUDIT}::test_only_flywheels_are_served_when_cdk_has_other_comprehend_types",
    ),
    PublicRule(
        RECORDED,
        "a flywheel of one label is ACTIVE",
        f"{_LIFE}/test_flywheels.py::test_a_flywheel_is_active_when_few_labels_are_named",
    ),
    PublicRule(
        EXAMPLE,
        "data of an existing model become a dataset, `TRAIN Dataset created by Flywheel creation.`",
        f"{_LIFE}/test_flywheels.py::test_a_new_flywheel_inherits_the_data_when_it_begins_with_a_model",
    ),
    PublicRule(
        BOTOCORE,
        "a plain text in Bytes is answered as one in Text",
        f"{_LIFE}/test_realtime.py::test_the_answer_is_the_same_when_a_text_comes_as_bytes",
    ),
)
"""What else the sources say, each with the test that holds it."""

SOURCES_DIFFER = (
    "The example of `UpdateFlywheel` shows no Labels, that of `DescribeFlywheel` does; both are of "
    "an ACTIVE flywheel. The engine answers them in both.",
    "botocore's `CreateFlywheelResponse` has ActiveModelArn; the example with an active model does "
    "not show it. The engine answers it.",
    "The example of `UpdateEndpoint` has no output; botocore's response has DesiredModelArn. The "
    "engine answers it.",
    "The guide asks for 10 or 50 documents per label; a recorded classifier of three labels, which "
    "no flywheel made, was trained on 8. The engine follows the guide, and a setting lowers it.",
    "Recorded models that are STOPPED or IN_ERROR have a TrainingEndTime, most without a "
    "TrainingStartTime; botocore has both as one interval. The engine answers the interval only "
    "for models that were trained.",
    "Recorded models of `CreateDocumentClassifier` have an empty OutputDataConfig; botocore has "
    "FlywheelStatsS3Prefix in that of a flywheel's model. The engine answers it.",
    "In the examples of jobs, Line is a text for a classifier and a number for a recognizer. The "
    "engine's files do the same.",
    "The guide's samples of `StartFlywheelIteration`, `UpdateFlywheel` and `CreateDataset` have "
    "members that botocore's shapes do not. The engine follows botocore.",
)
"""Where public sources contradict each other, and what the engine does."""
