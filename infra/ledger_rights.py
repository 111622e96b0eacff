"""Which rows of the ledger each function may write, and what may be done to a row of each kind.

IAM distinguishes rows by their partition keys alone, so what shares a partition shares its rights:
`FLYWHEEL#` holds the flywheel's row, its staged uploads, its champions and where its audit ends.
An entry of the audit (`AUDIT#`) may only be put. Read next: `infra.ledger`.
"""

PUT, UPDATE, DELETE, CHECK = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:ConditionCheckItem",
)

AUDIT = "AUDIT#*"
_UPLOAD, _FLYWHEEL, _BATCH = "UPLOAD#*", "FLYWHEEL#*", "BATCH#*"
_VERDICT, _APPROVAL = "VERDICT#*", "APPROVAL#*"
_OUTBOX, _RECONCILE = "OUTBOX", "RECONCILE"

DONE_TO_ROWS = {
    _UPLOAD: (PUT, UPDATE),
    _FLYWHEEL: (PUT, UPDATE, DELETE, CHECK),
    _BATCH: (PUT, UPDATE, CHECK),
    _VERDICT: (PUT, UPDATE),
    _APPROVAL: (PUT, UPDATE),
    _OUTBOX: (PUT, UPDATE, DELETE),
    _RECONCILE: (PUT,),
    AUDIT: (PUT,),
}
"""By partition key."""

WRITTEN_BY = {
    "RegisterUpload": (_UPLOAD, _FLYWHEEL, _BATCH, _OUTBOX, AUDIT),
    "SealBatch": (_UPLOAD, _FLYWHEEL, _BATCH, AUDIT),
    "StartIteration": (_FLYWHEEL, _BATCH, _OUTBOX, AUDIT),
    "CompareModels": (_FLYWHEEL, _BATCH, _VERDICT, _APPROVAL, _OUTBOX, AUDIT),
    "AskApproval": (_FLYWHEEL, _APPROVAL, _OUTBOX, AUDIT),
    "AnswerApproval": (_FLYWHEEL, _APPROVAL, AUDIT),
    "ChangeChampion": (_FLYWHEEL, _OUTBOX, AUDIT),
    "Operate": (_UPLOAD, _FLYWHEEL, _BATCH, _OUTBOX, AUDIT),
    "CloseBatch": (_FLYWHEEL, _BATCH, _VERDICT, _APPROVAL, _OUTBOX, AUDIT),
    "Reconcile": (_UPLOAD, _FLYWHEEL, _BATCH, _OUTBOX, _RECONCILE, AUDIT),
    "RebuildFlywheel": (_UPLOAD, _FLYWHEEL, _BATCH, _OUTBOX, AUDIT),
}
"""By construct id."""

NEVER_DONE_TO_ENTRIES = (
    UPDATE,
    DELETE,
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
)
"""Denied, so that no later permission lets an entry of the audit be changed or removed."""
