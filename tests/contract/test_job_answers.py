"""What the product reads of a job is what the engine measured itself."""

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine_testing.jobs import answer_lines, classification_job, ended_job, job_request, put_files
from engine_testing.rig import LABELS, classifier_task, rows, running
from flywheel.evaluation.predictions import answers_of, scored, tallies
from flywheel.intake.labeled_rows import LabeledRow as Document
from flywheel.settings.data_format import DataFormat

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.mark.slow
def test_answers_count_what_the_iteration_counted_when_labels_are_several(
    s3: "S3Client", tmp_path: Path
) -> None:
    """Half of each label is forgotten, so a model gives labels that are less likely than not."""
    chooser = random.Random(7)
    documents = [
        ("|".join(chosen_labels), " ".join(text for _, text in chosen))
        for chosen in (chooser.sample(rows(20), chooser.randint(1, 3)) for _ in range(1200))
        if (chosen_labels := sorted({label for label, _ in chosen if chooser.random() < 0.5}))
    ]
    training, test = documents[:400], [Document(*row) for row in documents[400:600]]
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
        rig.dataset(flywheel, training)
        rig.dataset(flywheel, documents[400:600], "TEST")
        iteration = rig.iterated(flywheel)
        uri = put_files(rig, test="".join(f"{row.text}\n" for row in test))
        started = rig.comprehend.start_document_classification_job(
            **job_request(uri, DocumentClassifierArn=iteration["TrainedModelArn"])
        )
        job = ended_job(lambda: classification_job(rig, started["JobId"]))
        lines = answer_lines(rig, job, "predictions.jsonl")
    shape = DataFormat(mode="multi-label")
    answers = answers_of(map(json.dumps, lines), len(test))
    _, tally = tallies([*scored(test, None, answers, shape)], kind="multi-label", labels=2)
    averages = iteration["TrainedModelMetrics"]
    assert averages == pytest.approx({name: tally.metric(name) for name in averages}, abs=1e-12)
    given = [label["Score"] for line in lines for label in line["Labels"] if label["Score"] >= 0.5]
    assert 0.5 <= min(given) < 0.51
    assert len(set(given)) > len(LABELS)
