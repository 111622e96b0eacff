"""What must hold at every write of the ledger and at every effect on the service."""

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from application.port_values import Change, Delete, Item, Put, Write
from flywheel.batches.batches import BatchName, BatchState
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import Decision, Verdict
from infra.ledger_rights import CHECK, DELETE, DONE_TO_ROWS, PUT, UPDATE, WRITTEN_BY
from tests.simulation.invariants.answers import AnswersWatch
from tests.simulation.memory.ports import MemoryPorts
from tests.simulation.memory.service import MemoryService
from tests.simulation.memory.service_facts import Effect
from tests.simulation.simulator import Simulator

_LEAST_IMPROVEMENT = 0.005
_ROUNDING = 1e-9
_NEXT = {
    None: {BatchState.OPEN},
    BatchState.OPEN: {BatchState.SEALED, BatchState.CLOSED},
    BatchState.SEALED: {BatchState.STARTED, BatchState.CLOSED},
    BatchState.STARTED: {BatchState.JUDGED, BatchState.CLOSED},
    BatchState.JUDGED: {BatchState.CLOSED},
    BatchState.CLOSED: {BatchState.OPEN, BatchState.SEALED},
}
"""From which state a batch goes to which; a closed one only with another attempt."""


@dataclass(slots=True)
class Watch:
    """Looks at everything that happens in a history.

    Parameters
    ----------
    simulator : Simulator
    ports : MemoryPorts
    """

    simulator: Simulator
    ports: MemoryPorts
    _started: dict[str, str] = field(default_factory=dict)
    _answers: AnswersWatch = field(init=False)

    def begin(self) -> None:
        """Look from now on."""
        self._answers = AnswersWatch(self.simulator, self.ports)
        self.ports.table.watchers.append(self._see_write)
        self.ports.account.shared.watchers.append(self._see_effect)

    def _see_rights(self, write: Write) -> None:
        """See that the role of the function that runs may do this."""
        function = self.simulator.function
        if function is None:
            return
        if isinstance(write, Change):
            action = UPDATE if write.set else CHECK
        else:
            action = DELETE if isinstance(write, Delete) else PUT
        allowed = [key for key in WRITTEN_BY[function] if action in DONE_TO_ROWS[key]]
        if not any(fnmatchcase(write.key.pk, key) for key in allowed):
            self.simulator.breaks(
                "a function writes its own rows", f"{function}: {action} {write.key}"
            )

    def _see_write(self, write: Write, before: Item | None) -> None:
        self._see_rights(write)
        if isinstance(write, Delete):
            return
        values = write.set if isinstance(write, Change) else write.values
        state = values.get("state")
        if state is None:
            return
        if write.key.sk == "BATCH":
            self._see_batch(write, before, state)
        elif write.key.sk == "UPLOAD" and before is not None:
            self._see_upload(write, before, state)

    def _see_upload(self, write: Change | Put, before: Item, state: UploadState) -> None:
        if isinstance(write, Put):
            self.simulator.breaks("an upload is received once", write.key.pk[:20])
        is_new = before["state"] in {UploadState.RECEIVED, UploadState.WAITING}
        is_new |= self._may_wait_again(before)
        if state == UploadState.STAGED and not is_new:
            self.simulator.breaks(
                "an upload is staged once", f"{write.key.pk[:20]} {before['state']}"
            )

    def _may_wait_again(self, before: Item) -> bool:
        """Say whether a sealed upload may: test rows that no dataset took, or all in a rebuild."""
        if before["state"] not in {UploadState.SEALED, UploadState.DUPLICATE}:
            return False
        row = self.ports.table.look(f"FLYWHEEL#{before['flywheel']}", "FLYWHEEL") or {}
        is_rebuilt = row.get("rebuild", {}).get("step") in {"CREATING", "RETURNING"}
        return bool(is_rebuilt or before["kind"] == DatasetKind.TEST)

    def _see_batch(self, write: Change | Put, before: Item | None, state: BatchState) -> None:
        old = BatchState(before["state"]) if before else None
        if state not in _NEXT[old]:
            self.simulator.breaks("a batch goes forward", f"{write.key.pk}: {old} to {state}")
        values = write.set if isinstance(write, Change) else write.values
        attempt = values.get("attempt")
        if before and attempt is not None and attempt <= before["attempt"]:
            self.simulator.breaks("attempts only rise", f"{write.key.pk}: {attempt}")
        if state in {BatchState.OPEN, BatchState.SEALED} and old in {None, BatchState.CLOSED}:
            others = [
                row
                for row in self.ports.table.rows("BATCH#")
                if row["pk"] != write.key.pk and row["state"] != BatchState.CLOSED
            ]
            if others:
                words = f"{write.key.pk} beside {others[0]['pk']}"
                self.simulator.breaks("one batch is open", words)

    def _see_effect(self, effect: Effect) -> None:
        match effect.call:
            case "create_dataset":
                self._see_dataset(effect.subject)
            case "start_iteration":
                self._see_start(effect)
            case "make_active":
                self._see_promotion(effect)
            case "start_job":
                self._answers.see_job(effect.subject)

    def _service(self, effect: Effect) -> MemoryService:
        return self.ports.account.flywheels[effect.flywheel_arn]

    def _see_dataset(self, arn: str) -> None:
        planned = [row.get("planned", {}).values() for row in self.ports.table.rows("BATCH#")]
        if not any(arn in arns for arns in planned):
            self.simulator.breaks("intent comes before effect", arn)

    def _see_start(self, effect: Effect) -> None:
        if effect.subject in self._started:
            words = f"{self._started[effect.subject]} and {effect.iteration_id}"
            self.simulator.breaks("an attempt starts one iteration", words)
        self._started[effect.subject] = effect.iteration_id
        service = self._service(effect)
        datasets = service.datasets
        if not service.complete(DatasetKind.TRAIN):
            self.simulator.breaks("no iteration is empty", effect.iteration_id)
        for row in self.ports.table.rows("BATCH#"):
            name = BatchName(row["flywheel"], row["batch"], row["attempt"])
            if name.token("iteration", service.arn) != effect.subject:
                continue
            statuses = [datasets[arn].status for arn in row.get("datasets", ())]
            if not statuses or set(statuses) != {"COMPLETED"}:
                words = f"{effect.iteration_id} of {name.label} with {statuses}"
                self.simulator.breaks("no iteration is empty", words)
            if row["state"] != BatchState.SEALED:
                self.simulator.breaks("intent comes before effect", f"{row['state']} batch started")
            return
        self.simulator.breaks(
            "intent comes before effect", f"no batch starts {effect.iteration_id}"
        )

    def _see_promotion(self, effect: Effect) -> None:
        """See that what goes live has finite metrics and beats what is live."""
        service, model = self._service(effect), effect.subject
        row = self.ports.table.look("FLYWHEEL#tickets", "FLYWHEEL") or {}
        if row.get("change", {}).get("model") == model:
            self._see_change_by_a_person(effect, row["change"].get("before"))
            return
        if model not in {item.trained_model for item in service.history.values()}:
            self._see_beginning(effect, row.get("generation", 1))
            return
        if model in row.get("barred", ()) and self._is_seen(effect):
            self.simulator.breaks("no verdict promotes what was rolled back", model)
        self._see_answer(model)
        evidence = self._evidence(model)
        if evidence is None:
            self.simulator.breaks("intent comes before effect", f"no verdict promotes {model}")
        iteration = next(item for item in service.history.values() if item.trained_model == model)
        # By answers it is compared with whatever was live by then, evaluated or not; what they say
        # counts more than the averages, and is looked at in the end.
        answered = evidence if evidence and evidence.paired else None
        new = (iteration.trained_metrics or {}).get("AverageF1Score", float("nan"))
        if answered is None and not 0 <= new <= 1:
            self.simulator.breaks("a promotion has metrics", f"{model}: {new}")
            return
        judged = answered.champion_arn if answered else iteration.evaluated_model
        if service.active not in {judged, model} and self._is_seen(effect):
            words = f"{model} was judged against {judged}, not {service.active}"
            self.simulator.breaks("a person's champion is not overwritten", words)
            return
        old = None if answered else (iteration.evaluated_metrics or {}).get("AverageF1Score")
        if old is not None and new < old + self._least_improvement() - _ROUNDING:
            self.simulator.breaks("a promotion beats the champion", f"{new} over {old}")

    def _see_beginning(self, effect: Effect, present: int) -> None:
        """See that a generation begins with a live model, and before batches go to it."""
        model, active = effect.subject, self._service(effect).active
        # Also where it was given up meanwhile: then batches never do.
        is_unused = int(effect.flywheel_arn.rpartition("-g")[2]) > present
        was_live = model in self.ports.account.shared.were_live
        # Of two calls at once the slower one changes nothing.
        if not was_live or (active != model and not is_unused):
            self.simulator.breaks(
                "a generation begins with the live model", f"{model} over {active}"
            )

    def _least_improvement(self) -> float:
        """Return the least gain of a challenger's averages; negative where it may be worse."""
        policy = self.ports.known["tickets"].settings.policy
        return -policy.margin if policy.comparison == "non-inferiority" else _LEAST_IMPROVEMENT

    def _evidence(self, model: str) -> Evidence | None:
        """Return what the newest verdict that promotes a model stands on, or None."""
        rows = list(self.ports.table.rows("VERDICT#"))
        for row in sorted(rows, key=lambda row: str(json.loads(row["facts"])["decided_at"]))[::-1]:
            evidence = Verdict.from_json(row["verdict"]).evidence
            if row["decision"] == Decision.PROMOTE and evidence.challenger_arn == model:
                return evidence
        return None

    def _is_seen(self, effect: Effect) -> bool:
        """Say whether the caller knew what is live: what changes after a look nobody can see."""
        return effect.seen_active in {self._service(effect).active, "never"}

    def _see_change_by_a_person(self, effect: Effect, before: str | None) -> None:
        if self._service(effect).active not in {before, effect.subject} and self._is_seen(effect):
            words = f"{effect.subject} instead of {before}, over {self._service(effect).active}"
            self.simulator.breaks("a person's champion is not overwritten", words)

    def _see_answer(self, model: str) -> None:
        """Check that a person approved, or did not answer, when approval was last requested."""
        asked = [row for row in self.ports.table.rows("APPROVAL#") if row["challenger"] == model]
        if not asked:
            return
        last = max(asked, key=lambda row: (row["batch"], row["attempt"]))
        is_silence = last["state"] == "EXPIRED" and last["on_timeout"] == "promote"
        if last["state"] != "APPROVED" and not is_silence:
            words = f"{model} is {last['state']}"
            self.simulator.breaks("nothing goes live before a person approved", words)
