"""The catalogue of faults: seventy things that go wrong, and where each is made to.

A fault is exercised by tests, named as ``path::name``, or has a reason why none can be here. The
list is checked by `tests/test_fault_catalogue.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_REGISTER = "tests/functions/register_upload/test_handler.py"
_DELIVERY = "tests/functions/register_upload/test_delivery_faults.py"
_REDRIVE = "tests/functions/register_upload/test_redrive.py"
_SEAL = "tests/functions/seal_batch/test_handler.py"
_START = "tests/functions/start_iteration/test_handler.py"
_WIRE = "tests/functions/start_iteration/test_wire_faults.py"
_ANSWERS = "tests/functions/answer_approval/test_handler.py"
_COMPARE = "tests/functions/compare_models/test_handler.py"
_RIVALS = "tests/functions/compare_models/test_rivals.py"
_CLOSE = "tests/functions/close_batch/test_handler.py"
_RECONCILE = "tests/functions/reconcile/test_handler.py"
_LOST = "tests/functions/reconcile/test_lost_uploads.py"
_OUTSIDE = "tests/functions/reconcile/test_outside_changes.py"
_SLACK = "tests/functions/notify_slack/test_handler.py"
_ACTS = "tests/functions/test_acts.py"
_FILES = "tests/flywheel/test_upload_faults.py"
_ENGINE = "engine/tests/test_engine.py"
_SWEEP = (
    "tests/functions/test_crash_points.py::test_the_end_is_the_same_when_a_process_died",
    "tests/functions/test_crash_points.py::test_every_crash_point_has_a_story_when_the_source_is_read",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Parameters
    ----------
    number : int
        As the tests' docstrings name it.
    words : str
        What goes wrong.
    tests : sequence of str
        Those that make it go wrong.
    reason : str
        Why there are none.
    """

    number: int
    words: str
    tests: Sequence[str] = ()
    reason: str = ""


CATALOGUE: Sequence[Fault] = (
    Fault(
        1,
        "the same event twice, under one id",
        (f"{_DELIVERY}::test_one_upload_is_staged_when_its_event_comes_twice",),
    ),
    Fault(
        2,
        "two events with different ids about one version",
        (f"{_DELIVERY}::test_one_upload_is_staged_when_its_event_comes_twice",),
    ),
    Fault(
        3,
        "two deliveries handled at the same moment",
        (f"{_REGISTER}::test_both_deliveries_end_in_one_upload_when_they_overlap",),
    ),
    Fault(
        4,
        "the newer version's event comes before the older one's",
        (f"{_DELIVERY}::test_both_versions_are_uploads_when_the_newer_event_comes_first",),
    ),
    Fault(
        5,
        "an event never comes",
        (f"{_LOST}::test_an_upload_is_registered_when_its_event_never_came",),
    ),
    Fault(
        6,
        "an event comes a day late, or is redriven after thirteen days",
        (
            f"{_DELIVERY}::test_no_second_dataset_is_made_when_an_event_comes_late",
            f"{_REDRIVE}::test_an_upload_is_registered_once_when_its_dead_letter_is_redriven",
        ),
    ),
    Fault(
        7,
        "death after an upload was received",
        (*_SWEEP, f"{_REGISTER}::test_work_goes_on_when_a_crash_left_the_upload_received"),
    ),
    Fault(
        8,
        "death after the copy was written or the upload was staged",
        (*_SWEEP, f"{_REGISTER}::test_the_batch_opens_when_a_crash_left_the_upload_staged"),
    ),
    Fault(
        9,
        "death between the seal and the dataset",
        (*_SWEEP, f"{_SEAL}::test_the_seal_is_the_same_when_a_crash_cut_it_off"),
    ),
    Fault(
        10,
        "death after CreateDataset, before the ledger knows",
        (*_SWEEP, f"{_SEAL}::test_a_dataset_is_recognised_when_the_token_was_forgotten"),
    ),
    Fault(
        11,
        "CreateDataset is carried out and its reply is lost",
        (
            f"{_SEAL}::test_the_seal_is_the_same_when_a_crash_cut_it_off",
            f"{_SEAL}::test_a_dataset_is_recognised_when_the_token_was_forgotten",
        ),
    ),
    Fault(
        12,
        "death after a batch was opened, before its execution began",
        (*_SWEEP, f"{_RECONCILE}::test_the_execution_begins_when_a_crash_kept_it_from_it"),
    ),
    Fault(
        13,
        "StartExecution is carried out and its reply is lost",
        (
            f"{_RECONCILE}::test_the_execution_begins_when_a_crash_kept_it_from_it",
            "tests/adapters/test_workflow.py::test_the_execution_is_the_same_when_it_is_started_twice",
        ),
    ),
    Fault(
        14,
        "death after StartFlywheelIteration, before its id was stored",
        (
            *_SWEEP,
            f"{_START}::test_the_same_iteration_is_booked_when_the_reply_was_lost",
            f"{_START}::test_our_iteration_is_adopted_when_the_service_forgot_the_token",
        ),
    ),
    Fault(
        15,
        "death after the verdict, before the promotion",
        (*_SWEEP, f"{_COMPARE}::test_a_stored_verdict_stands_when_the_policy_was_changed"),
    ),
    Fault(
        16,
        "death after UpdateFlywheel, before the outcome was recorded",
        (
            *_SWEEP,
            f"{_COMPARE}::test_the_promotion_is_completed_when_a_crash_cut_it_off",
            f"{_COMPARE}::test_a_promotion_stands_when_the_function_died_after_it",
        ),
    ),
    Fault(
        17,
        "death after the outcome was recorded, before its notice was sent",
        (*_SWEEP, f"{_COMPARE}::test_the_notice_waits_when_it_cannot_be_published"),
    ),
    Fault(18, "a notice was published and nobody wrote that down", _SWEEP),
    Fault(
        19,
        "death of the relay between two notices",
        (
            "tests/adapters/test_relay.py::test_the_rest_is_sent_when_the_relay_died_between_two_notices",
        ),
    ),
    Fault(
        20,
        "three throttles, then an answer",
        (f"{_WIRE}::test_one_iteration_is_started_when_the_service_answers_at_last",),
    ),
    Fault(
        21,
        "throttles for an hour",
        (
            f"{_DELIVERY}::test_the_upload_waits_for_more_than_an_hour_when_a_service_stays_busy",
            "tests/infra/test_iteration_workflow.py::test_a_look_counts_when_the_service_is_busy",
        ),
    ),
    Fault(
        22,
        "a server error at the start of an iteration",
        (f"{_WIRE}::test_one_iteration_is_started_when_the_service_answers_at_last",),
    ),
    Fault(
        23,
        "no connection, or no answer in time",
        (
            "tests/adapters/test_clients.py::test_a_call_gives_up_in_time_when_nothing_answers",
            "tests/adapters/test_service_errors.py::test_it_is_busy_when_no_answer_came",
        ),
    ),
    Fault(
        24,
        "a function is cut off in the middle of a large file",
        (
            f"{_REGISTER}::test_work_goes_on_when_a_crash_left_the_upload_received",
            f"{_REDRIVE}::test_an_upload_is_registered_once_when_its_dead_letter_is_redriven",
            f"{_FILES}::test_a_file_is_refused_unread_when_it_is_too_large",
            "tests/local/cloud/test_lambda_runtime.py::test_the_process_is_replaced_when_an_invocation_times_out",
        ),
    ),
    Fault(
        25,
        "no permission to read the upload",
        (f"{_DELIVERY}::test_the_file_is_not_to_blame_when_it_may_not_be_read",),
    ),
    Fault(
        26,
        "no permission to use the key: at the upload, or at the promotion",
        (
            f"{_DELIVERY}::test_the_file_is_not_to_blame_when_it_may_not_be_read",
            f"{_RIVALS}::test_the_champion_stays_when_the_promotion_may_not_be_made",
        ),
    ),
    Fault(
        27,
        "events may not be sent to the queue",
        (
            "tests/local/cloud/test_iam_enforcement.py::test_nothing_is_delivered_when_the_queues_policy_does_not_allow_it",
            "tests/infra/test_queues.py::test_only_our_rule_may_send_uploads_when_the_queue_is_made",
            f"{_LOST}::test_an_upload_is_refused_once_when_all_its_deliveries_failed",
        ),
    ),
    Fault(
        28,
        "the rule is off",
        (
            f"{_LOST}::test_an_upload_is_registered_when_its_event_never_came",
            "tests/infra/test_monitoring.py::test_an_alarm_sees_what_reconcile_writes_when_it_runs",
        ),
    ),
    Fault(
        29,
        "the object is deleted before it is read",
        (
            f"{_REGISTER}::test_the_upload_is_gone_when_its_version_was_deleted",
            f"{_DELIVERY}::test_the_version_is_read_when_only_a_delete_marker_hides_it",
        ),
    ),
    Fault(
        30,
        "the object is overwritten between its event and its reading",
        (f"{_REGISTER}::test_the_named_version_is_staged_when_it_was_overwritten_since",),
    ),
    Fault(
        31,
        "the object is overwritten while the service ingests",
        (
            f"{_DELIVERY}::test_what_was_staged_is_sent_when_its_key_is_overwritten",
            "tests/adapters/test_objects.py::test_the_first_writer_wins_when_an_object_is_created_twice",
        ),
    ),
    Fault(
        32,
        "keys with blanks, pluses, accents, percents, double slashes, dots, and 1,024 bytes",
        (
            f"{_DELIVERY}::test_keys_are_apart_when_they_look_alike",
            f"{_DELIVERY}::test_a_key_is_taken_when_it_is_as_long_as_a_key_can_be",
            f"{_REGISTER}::test_a_key_is_taken_as_it_is_when_its_event_is_delivered",
            f"{_REGISTER}::test_the_key_is_taken_as_it_is_when_it_has_unusual_characters",
        ),
    ),
    Fault(
        33,
        "a key that begins with another key",
        (f"{_DELIVERY}::test_each_upload_is_sent_once_when_a_key_begins_with_another",),
    ),
    Fault(
        34,
        "events about what we write ourselves",
        (
            f"{_DELIVERY}::test_nothing_is_staged_when_the_key_is_one_of_our_own",
            "tests/infra/test_buckets.py::test_only_the_inbox_tells_events_when_buckets_are_made",
        ),
    ),
    Fault(35, "an empty file", (f"{_FILES}::test_a_file_is_refused_when_it_is_empty",)),
    Fault(
        36,
        "a byte order mark",
        (f"{_FILES}::test_a_byte_order_mark_is_removed_when_there_is_one",),
    ),
    Fault(
        37,
        "another encoding, or a broken one",
        (
            f"{_FILES}::test_a_file_is_refused_when_it_is_not_utf_8",
            f"{_FILES}::test_a_file_is_refused_when_it_is_utf_16",
        ),
    ),
    Fault(
        38,
        "other line breaks",
        (f"{_FILES}::test_only_line_feeds_end_rows_when_texts_hold_other_breaks",),
    ),
    Fault(39, "a NUL byte", (f"{_FILES}::test_a_file_is_refused_when_it_holds_a_nul",)),
    Fault(
        40,
        "a quote that is never closed",
        (f"{_FILES}::test_the_other_rows_are_read_when_a_quote_is_never_closed",),
    ),
    Fault(
        41,
        "text after a closing quote",
        (f"{_FILES}::test_a_file_is_refused_when_text_follows_a_closing_quote",),
    ),
    Fault(
        42,
        "a row that is very long, or never ends",
        (
            f"{_FILES}::test_a_row_is_told_when_it_is_too_long",
            f"{_FILES}::test_memory_stays_flat_when_a_row_never_ends",
        ),
    ),
    Fault(
        43,
        "a file that is something else, or a bomb",
        (
            f"{_FILES}::test_a_file_is_refused_when_it_is_no_text",
            f"{_FILES}::test_a_bomb_is_refused_when_it_begins_to_unpack",
        ),
    ),
    Fault(
        44,
        "more bytes or rows than a dataset takes",
        (
            f"{_FILES}::test_a_file_is_refused_unread_when_it_is_too_large",
            f"{_FILES}::test_reading_stops_when_a_file_has_too_many_rows",
        ),
    ),
    Fault(
        45,
        "a header row",
        (
            f"{_FILES}::test_a_header_is_told_when_the_flywheel_has_none",
            f"{_FILES}::test_a_header_is_taken_when_the_flywheel_has_one",
        ),
    ),
    Fault(
        46,
        "one label alone, or fewer documents of a label than the service takes",
        (
            f"{_FILES}::test_it_is_said_when_a_file_has_one_label_alone",
            "tests/flywheel/test_batches.py::"
            "test_a_first_model_waits_when_one_label_alone_has_documents",
            f"{_SEAL}::test_rows_of_a_small_label_wait_when_the_service_would_refuse_them",
        ),
    ),
    Fault(
        47,
        "labels that the flywheel does not know",
        (f"{_FILES}::test_unknown_labels_are_told_with_the_nearest_when_there_are_some",),
    ),
    Fault(
        48,
        "several labels where one belongs, empty ones, another delimiter",
        (
            f"{_FILES}::test_several_labels_are_told_when_a_flywheel_takes_one",
            f"{_FILES}::test_a_row_is_left_out_when_its_labels_are_wrong",
        ),
    ),
    Fault(
        49,
        "too few or too many columns, a blank before a quote",
        (
            f"{_FILES}::test_columns_are_counted_when_a_row_has_others",
            f"{_FILES}::test_a_blank_before_a_quote_is_taken_when_the_vendor_writes_one",
        ),
    ),
    Fault(
        50,
        "text that does something where it is shown",
        (
            f"{_FILES}::test_a_text_is_kept_as_it_is_when_it_looks_dangerous",
            "tests/flywheel/test_notices.py::test_text_from_data_is_harmless_when_it_is_shown",
            f"{_SLACK}::test_nothing_is_interpreted_when_a_notice_holds_markup",
        ),
    ),
    Fault(
        51,
        "test rows among the training rows",
        (
            f"{_SEAL}::test_test_rows_never_train_when_they_were_uploaded_as_both",
            f"{_SEAL}::test_a_test_row_is_left_out_when_it_was_trained_on",
        ),
    ),
    Fault(
        52,
        "a dataset fails, or the service takes no more of them",
        (
            f"{_ACTS}::test_the_batch_is_sealed_anew_when_its_dataset_had_failed",
            f"{_SEAL}::test_the_batch_is_not_sent_when_the_quota_is_used_up",
            f"{_SEAL}::test_the_slot_is_given_back_when_the_dataset_was_never_created",
            "tests/end_to_end/test_failure.py::test_a_person_is_told_when_a_dataset_fails",
        ),
    ),
    Fault(
        53,
        "an iteration fails, or somebody stops it",
        (
            "tests/infra/test_statuses.py::test_models_are_compared_when_the_iteration_is_complete",
            f"{_ACTS}::test_only_the_iteration_is_tried_again_when_the_datasets_are_complete",
            f"{_CLOSE}::test_people_are_told_once_when_a_batch_failed",
        ),
    ),
    Fault(
        54,
        "a completed iteration without metrics or with impossible ones",
        (
            f"{_COMPARE}::test_the_verdict_is_hold_when_metrics_are_missing",
            "tests/flywheel/test_policy.py::test_a_value_is_usable_when_it_is_a_number_from_zero_to_one",
            "tests/flywheel/test_verdict.py::test_a_challenger_is_judged_when_there_is_a_champion",
        ),
    ),
    Fault(
        55,
        "no model was evaluated",
        (
            f"{_COMPARE}::test_the_first_model_goes_live_when_it_meets_the_floor",
            f"{_COMPARE}::test_the_verdict_is_hold_when_the_iteration_names_no_evaluated_model",
        ),
    ),
    Fault(
        56,
        "an iteration that somebody else started",
        (
            f"{_START}::test_an_older_iteration_is_waited_for_when_somebody_else_started_it",
            f"{_OUTSIDE}::test_an_iteration_is_told_once_when_somebody_else_started_it",
        ),
    ),
    Fault(
        57,
        "a flywheel that is not ready, has failed, or is gone",
        (
            f"{_DELIVERY}::test_the_delivery_comes_again_when_the_flywheel_is_not_ready",
            f"{_CLOSE}::test_people_are_told_when_the_service_itself_is_the_trouble",
            f"{_RECONCILE}::test_it_is_told_when_the_service_keeps_a_flywheel_from_working",
            "tests/infra/test_monitoring.py::test_everything_that_runs_has_an_alarm_when_it_is_made",
        ),
    ),
    Fault(
        58,
        "somebody else changes the active model",
        (
            f"{_COMPARE}::test_nothing_is_written_when_the_champion_was_changed_outside",
            f"{_COMPARE}::test_live_is_never_said_when_the_write_cannot_be_verified",
            f"{_OUTSIDE}::test_another_champion_is_told_once_when_somebody_made_it_active",
        ),
    ),
    Fault(
        59,
        "two promoters at once",
        (f"{_RIVALS}::test_one_outcome_is_recorded_when_two_promoters_overlap",),
    ),
    Fault(
        60,
        "a status that nobody has heard of",
        (
            "tests/infra/test_statuses.py::test_it_is_looked_again_when_a_status_is_not_known",
            f"{_RECONCILE}::test_it_is_told_when_the_service_keeps_a_flywheel_from_working",
        ),
    ),
    Fault(
        61,
        "polling fills the execution's history",
        (
            "tests/infra/test_iteration_workflow.py::test_the_looks_fit_the_history_when_they_are_as_many_as_can_be",
        ),
    ),
    Fault(
        62,
        "the topic or Slack takes nothing for hours",
        (
            f"{_RECONCILE}::test_a_notice_goes_out_when_publishing_it_had_failed",
            "tests/adapters/test_notices.py::test_a_notice_stays_in_the_outbox_when_publishing_fails",
            f"{_SLACK}::test_the_notice_is_delivered_again_when_slack_is_busy",
            f"{_SLACK}::test_slack_is_left_alone_as_long_as_it_asks_when_it_is_busy",
        ),
    ),
    Fault(
        63,
        "a subject or a body that the topic would refuse",
        (
            "tests/flywheel/test_notices.py::test_a_subject_is_taken_by_the_service_when_its_words_are_not",
            "tests/flywheel/test_notices.py::test_a_digest_fits_a_message_when_its_uploads_are_many",
        ),
    ),
    Fault(
        64,
        "a clock that is wrong, or at a day that is rare",
        (
            f"{_RIVALS}::test_the_outcome_is_the_same_when_the_functions_clock_is_wrong",
            f"{_WIRE}::test_our_iteration_is_adopted_when_our_clock_is_ahead_of_the_services",
        ),
    ),
    Fault(
        65,
        "the ledger refuses, cancels or throttles a write",
        (
            "tests/adapters/test_table.py::test_the_caller_reads_again_when_a_transaction_was_cancelled",
            "tests/adapters/test_table.py::test_nothing_is_written_when_an_expectation_does_not_hold",
        ),
    ),
    Fault(
        66,
        "an approval by a mail scanner, twice, late, forged, or by another person",
        (
            "tests/functions/ask_approval/test_handler.py::test_the_token_is_nowhere_else_when_people_were_asked",
            f"{_ANSWERS}::test_an_answer_is_refused_when_it_does_not_fit",
            f"{_ANSWERS}::test_an_answer_is_refused_when_nobody_was_asked",
            f"{_ANSWERS}::test_the_same_answer_is_sent_again_when_a_crash_kept_it",
            "tests/infra/test_permissions.py::test_one_function_alone_answers_when_policies_are_made",
        ),
    ),
    Fault(
        67,
        "an approval after its time is over",
        (
            f"{_ANSWERS}::test_the_answer_is_refused_when_the_time_ended_in_this_moment",
            f"{_ANSWERS}::test_the_answer_counts_when_the_task_timed_out_in_this_moment",
            "tests/functions/compare_models/test_courses.py::test_a_late_answer_is_refused_when_silence_was_carried_out",
        ),
    ),
    Fault(
        68,
        "a deployment in the middle of an iteration, or its roll-back",
        (
            "tests/infra/test_flywheels.py::test_the_active_model_is_never_set_when_a_stack_is_deployed",
        ),
    ),
    Fault(
        69,
        "a burst of uploads",
        (
            "tests/local/cloud/test_flow.py::test_many_objects_are_all_handled_when_they_are_put_at_once",
            "tests/infra/test_queues.py::test_a_message_stays_hidden_while_its_function_runs_when_it_is_read",
            f"{_REGISTER}::test_one_batch_opens_when_several_uploads_meet_the_rules",
        ),
    ),
    Fault(
        70,
        "the engine is killed while it writes, its disk is full, its port is taken",
        (
            f"{_ENGINE}::test_work_goes_on_when_a_stop_cut_it_off",
            "engine/tests/test_store_faults.py::test_what_was_written_is_there_when_the_process_was_killed",
            "engine/tests/test_store_faults.py::test_nothing_is_half_written_when_the_disk_is_full",
            "engine/tests/test_server.py::test_starting_is_refused_when_the_port_is_taken",
        ),
    ),
)
