"""A dataset's life: CREATING -> COMPLETED or FAILED. S3 to the data lake, through the rules.

Decides which documents a dataset holds and what makes it FAILED. Knows nothing of iterations.
Read next: `local.comprehend.documents` (the format) and `local.comprehend.data_lake` (S3).

Notes
-----
*Source*: developer guide, "Flywheel overview": labels that the flywheel does not have are silently
ignored; "Guidelines and quotas": documents a label, documents a dataset, size of a file.
"""

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.comprehend.background import BackgroundWork
from local.comprehend.clock import Clock
from local.comprehend.data_lake import DataLake, FoundObject
from local.comprehend.documents import labeled_documents
from local.comprehend.errors import DatasetRefusedError, EngineStopping, StorageAccessError
from local.comprehend.records import Dataset, Flywheel
from local.comprehend.settings import Quotas
from local.comprehend.store import Store

if TYPE_CHECKING:
    from local.comprehend.data_lake import S3ClientForRole

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What ingests datasets."""

    store: Store
    clock: Clock
    background: BackgroundWork
    quotas: Quotas
    s3_client_for_role: "S3ClientForRole"

    def start(self, dataset: Dataset) -> None:
        """Begin to ingest a dataset that is recorded as CREATING."""
        self.background.run(f"ingest {dataset.name}", lambda: self.run(dataset.arn))

    def run(self, dataset_arn: str) -> None:
        """Ingest a dataset and record how it ended."""
        dataset = self.store.find(Dataset, dataset_arn)
        flywheel = self.store.find(Flywheel, dataset.flywheel_arn) if dataset else None
        if dataset is None or flywheel is None:
            return
        ended = self._ended(dataset, flywheel)
        self.background.hold(dataset.creation_time)
        self.store.save(replace(ended, end_time=round(self.clock.now(), 3)))

    def _ended(self, dataset: Dataset, flywheel: Flywheel) -> Dataset:
        try:
            lake = DataLake(self.s3_client_for_role, flywheel.data_access_role_arn)
            documents = self._copy(dataset, flywheel, lake)
        except (DatasetRefusedError, StorageAccessError) as refusal:
            return replace(dataset, status="FAILED", message=str(refusal))
        except EngineStopping:
            raise
        except Exception as defect:  # a dataset must never stay CREATING for ever
            _LOG.exception("dataset %s", dataset.arn)
            message = f"The engine failed: {type(defect).__name__}: {defect}"
            return replace(dataset, status="FAILED", message=message)
        return replace(dataset, status="COMPLETED", number_of_documents=documents)

    def _copy(self, dataset: Dataset, flywheel: Flywheel, lake: DataLake) -> int:
        """Copy a dataset's documents into the lake; return how many there are."""
        known = frozenset(flywheel.labels)
        kept, ignored = Counter[str](), Counter[str]()
        content = io.StringIO(newline="")
        writer = csv.writer(content)
        for label, text in self._documents(dataset, lake):
            if label in known:
                kept[label] += 1
                writer.writerow((label, text))
            else:
                ignored[label] += 1
            if kept.total() > self.quotas.max_documents:
                message = f"More than {self.quotas.max_documents} documents"
                raise DatasetRefusedError(message)
        self._check_counts(dataset, kept, ignored)
        lake.write(f"{dataset.s3_uri}documents.csv", content.getvalue().encode())
        return kept.total()

    def _documents(self, dataset: Dataset, lake: DataLake) -> Iterator[tuple[str, str]]:
        for uri in dataset.source_s3_uris:
            found = lake.objects(uri)
            if not found:
                message = f"There is no object whose key begins with {uri}"
                raise DatasetRefusedError(message)
            for entry in found:
                self._check_size(entry)
                self.background.check_going_on()
                yield from labeled_documents(lake.read(entry), entry.uri)

    def _check_size(self, entry: FoundObject) -> None:
        most = self.quotas.max_file_size_bytes
        if entry.size_bytes > most:
            message = f"{entry.uri} has {entry.size_bytes} bytes; a file may have {most}"
            raise DatasetRefusedError(message)

    def _check_counts(self, dataset: Dataset, kept: Counter[str], ignored: Counter[str]) -> None:
        if not kept:
            raise DatasetRefusedError(_nothing_left(ignored))
        least = self.quotas.min_documents_per_label
        few = {label: count for label, count in sorted(kept.items()) if count < least}
        if few and dataset.dataset_type == "TRAIN":
            listed = ", ".join(f"{label} ({count})" for label, count in few.items())
            message = f"Each label needs at least {least} documents; too few: {listed}"
            raise DatasetRefusedError(message)


def _nothing_left(ignored: Counter[str]) -> str:
    listed = ", ".join(f"{label} ({count})" for label, count in ignored.most_common(_SHOWN_LABELS))
    return f"No document has a label of the flywheel; labels found: {listed or 'none'}"


_SHOWN_LABELS = 10
