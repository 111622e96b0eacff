"""The record of one audit chain in an environment, read for verifying and for an export.

Reads the bucket before the ledger: an entry is written before its verdict's document and before a
head that names it, so everything there has its entry. Read next:
`console.record.offline_verifier` (what is verified).
"""

import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.objects import Objects
from application.ledger.audit import AuditHead, entry_key
from application.ledger.ledger import Ledger
from console.environment.target import Target
from console.record import offline_verifier as verifier

_READERS = 8
"""Below the ten connections that a client keeps."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One chain and the documents beside it.

    Parameters
    ----------
    name : str
        The flywheel's; or `application.ledger.audit.ENVIRONMENT`.
    head : AuditHead or None
    documents, heads : mapping of str to bytes
        By key.
    ledger : Ledger
    """

    name: str
    head: AuditHead | None
    documents: Mapping[str, bytes]
    heads: Mapping[str, bytes]
    ledger: Ledger

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries, oldest first, without their keys.

        Raises
        ------
        RecordBrokenError
            An entry stands under the key of another.
        """
        last = self.head.seq if self.head else 0
        for row in self.ledger.audit.chain(self.name, last):
            yield _without_key(self.name, row)

    def verify(self) -> verifier.Counts:
        """Verify it.

        Raises
        ------
        RecordBrokenError
            Naming the first entry that is wrong, and how.
        """
        head = None if self.head is None else {"seq": self.head.seq, "hash": self.head.hash}
        return verifier.verify_record(self.name, self.entries(), head, self.documents, self.heads)

    def export(self, out: Path) -> None:
        """Write it as a zip that verifies itself; a failure leaves no file."""
        made = out.with_name(f".{out.name}.part")
        try:
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
                hashes = {}
                for path, body in self._files():
                    archive.writestr(path, body)
                    hashes[path] = sha256(body).hexdigest()
                archive.writestr(verifier.FILES, verifier.canonical(hashes))
            made.replace(out)
        finally:
            made.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        lines = [verifier.canonical(entry) + b"\n" for entry in self.entries()]
        yield verifier.ENTRIES, b"".join(lines)
        head = self.head or AuditHead(0, verifier.FIRST_HASH)
        named = {"flywheel": self.name, "seq": head.seq, "hash": head.hash}
        yield verifier.HEAD, verifier.canonical(named)
        yield from self.documents.items()
        yield from self.heads.items()
        yield verifier.VERIFIER, Path(verifier.__file__).read_bytes()


def _without_key(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without the key of its row, which follows from its number."""
    entry = {field: value for field, value in row.items() if field not in {"pk", "sk"}}
    key = entry_key(name, entry.get("seq", 0))
    if (row["pk"], row["sk"]) != (key.pk, key.sk):
        number = row["pk"].rpartition("#")[2]
        problem = f"entry {number} was changed: its number is not that of its row's key"
        raise verifier.RecordBrokenError(problem)
    return entry


def read_record(target: Target, name: str) -> AuditRecord:
    """Read the record of one chain."""
    bucket, ledger = target.verdicts(), target.ledger()
    documents = _bodies(bucket, f"verdicts/{name}/")
    heads = _bodies(bucket, f"chain/{name}/")
    return AuditRecord(name, ledger.audit.head(name), documents, heads, ledger)


def _bodies(bucket: Objects, prefix: str) -> dict[str, bytes]:
    keys = list(bucket.keys(prefix))
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(
            zip(keys, pool.map(lambda key: b"".join(bucket.chunks(key)), keys), strict=True)
        )
