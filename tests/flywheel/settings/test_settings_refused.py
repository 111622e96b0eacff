import pytest

from flywheel.errors import SettingsError
from flywheel.settings.environment_file import parse_environment
from tests.flywheel.settings.environment_texts import ADOPTED, FLYWHEEL, parse, reading


def problems(text: str, **others: str | bytes) -> tuple[str, tuple[str, ...]]:
    """Return the file that is named and the problems that are told."""
    with pytest.raises(SettingsError) as caught:
        parse(text, **others)
    assert str(caught.value).startswith(f"{caught.value.file}: ")
    return caught.value.file, caught.value.problems


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("x = 1" + FLYWHEEL, "x", "unknown key; allowed: account, batch, extends, flywheels"),
        ('name = "prod"' + FLYWHEEL, "name", "the file's name"),
        (FLYWHEEL + 'name = "other"', "flywheels.tickets.name", "the table's name"),
        ("", "flywheels", "at least one table [flywheels.NAME]"),
        ("[flywheels]", "flywheels", "at least one table [flywheels.NAME]"),
        ("[[flywheels]]", "flywheels", "at least one table [flywheels.NAME]"),
        ("flywheels.tickets = 3", "flywheels.tickets", "must be a table [flywheels.tickets]"),
        ("batch = 3" + FLYWHEEL, "batch", "must be a table"),
        (FLYWHEEL + "policy = 3", "flywheels.tickets.policy", "must be a table"),
        (
            "[verdicts]\nobject_lock = 3" + FLYWHEEL,
            "verdicts.object_lock",
            "unknown key; allowed: object_lock_days, object_lock_mode",
        ),
        (
            "[verdicts]\nobject_lock_days = 0" + FLYWHEEL,
            "verdicts.object_lock_days",
            "greater than or equal to 1 (given: 0)",
        ),
        (
            '[verdicts]\nobject_lock_mode = "COMPLIANCE"' + FLYWHEEL,
            "verdicts",
            "object_lock_mode goes with object_lock_days",
        ),
        (
            "[batch]\nmin_documens = 3" + FLYWHEEL,
            "flywheels.tickets.batch.min_documens",
            "allowed: bad_rows, iteration_deadline_hours",
        ),
        (
            "[batch]\nquiet_seconds = 0" + FLYWHEEL,
            "flywheels.tickets.batch.quiet_seconds",
            "greater than or equal to 1 (given: 0)",
        ),
        (
            "[batch]\nquiet_seconds = 3601" + FLYWHEEL,
            "flywheels.tickets.batch.quiet_seconds",
            "less than or equal to 3600 (given: 3601)",
        ),
        (
            "[batch]\niteration_deadline_hours = 1\npoll_seconds = 1" + FLYWHEEL,
            "flywheels.tickets.batch",
            "iteration_deadline_hours = 1 with poll_seconds = 1 makes 3,600 looks, and a workflow "
            "has room for 1,800: poll_seconds of at least 2",
        ),
        (
            "[batch]\niteration_deadline_hours = 31" + FLYWHEEL,
            "flywheels.tickets.batch",
            "poll_seconds of at least 62, or iteration_deadline_hours of at most 30",
        ),
        (
            "[batch]\nmax_gather_minutes = 1\nquiet_seconds = 61" + FLYWHEEL,
            "flywheels.tickets.batch",
            "quiet_seconds = 61 is longer than max_gather_minutes = 1: at most 60 seconds",
        ),
        (
            '[batch]\nmin_documents = "many"' + FLYWHEEL,
            "flywheels.tickets.batch.min_documents",
            "valid integer",
        ),
        (
            "[batch]\nmin_documents = 1.5" + FLYWHEEL,
            "flywheels.tickets.batch.min_documents",
            "valid integer",
        ),
        (
            '[batch]\nbad_rows = "keep"' + FLYWHEEL,
            "flywheels.tickets.batch.bad_rows",
            "'leave_out' or 'refuse' (given: 'keep')",
        ),
        (
            "[batch]\nmax_bad_rows_fraction = 1.5" + FLYWHEEL,
            "flywheels.tickets.batch.max_bad_rows_fraction",
            "less than or equal to 1 (given: 1.5)",
        ),
        (
            "[batch]\nmax_bad_rows_fraction = nan" + FLYWHEEL,
            "flywheels.tickets.batch.max_bad_rows_fraction",
            "finite number",
        ),
        (
            '[notifications]\nemails = ["nobody"]' + FLYWHEEL,
            "notifications.emails",
            "'nobody' is not an e-mail address",
        ),
        (
            '[notifications]\nemails = ["a@b.c, d@e.f"]' + FLYWHEEL,
            "notifications.emails",
            "is not an e-mail address",
        ),
        ('[notifications]\nemails = "a@b.c"' + FLYWHEEL, "notifications.emails", "valid tuple"),
        (
            '[notifications]\nslack_webhook_secret = "https://hooks.slack.com/x"' + FLYWHEEL,
            "notifications.slack_webhook_secret",
            "give the NAME of the Secrets Manager secret",
        ),
        (
            "[notifications]\nnotice_window_seconds = 901" + FLYWHEEL,
            "notifications.notice_window_seconds",
            "less than or equal to 900",
        ),
        (
            "[notifications]\nslack = 1" + FLYWHEEL,
            "notifications.slack",
            "allowed: emails, notice_window_seconds, slack_webhook_secret",
        ),
        (
            "[batch]\nquiet_seconds = true" + FLYWHEEL,
            "flywheels.tickets.batch.quiet_seconds",
            "valid integer (given: True)",
        ),
        (
            '[batch]\nmin_documents = "50"' + FLYWHEEL,
            "flywheels.tickets.batch.min_documents",
            "valid integer (given: '50')",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmin = true' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0.min",
            "valid number (given: True)",
        ),
        ('keep_data = "no"' + FLYWHEEL, "keep_data", "valid boolean (given: 'no')"),
        ("account = 123456789012" + FLYWHEEL, "account", "valid string (given: 123456789012)"),
        ('region = "Ireland"' + FLYWHEEL, "region", "should match pattern"),
        ('account = "12345"' + FLYWHEEL, "account", "should match pattern"),
        ('[policy]\nmode = "yolo"' + FLYWHEEL, "flywheels.tickets.policy.mode", "(given: 'yolo')"),
        (
            "[policy]\nfloor = 1" + FLYWHEEL,
            "flywheels.tickets.policy.floor",
            "allowed: allow_proven_loss, approval_timeout_hours, approve_first,",
        ),
        (
            '[[policy.rules]]\nmetric = "F1"\nmin = 0.5' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0.metric",
            "'Precision' or 'Recall' (given: 'F1')",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0",
            "a rule needs `min`, `min_improvement` or `max_drop`",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmin = 50' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0.min",
            "less than or equal to 1 (given: 50)",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmax = 1' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0.max",
            "allowed: label, max_drop, metric, min, min_improvement; more is better",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmin = 0.1\n'
            '[[policy.rules]]\nmetric = "AverageRecall"\nmin = 0.2' + FLYWHEEL,
            "flywheels.tickets.policy.rules",
            "given twice: AverageRecall.min",
        ),
        (
            "[policy]\nrules = []" + FLYWHEEL,
            "flywheels.tickets.policy.rules",
            "at least one rule is needed",
        ),
        (
            '[[policy.rules]]\nmetric = "F1Score"\nmin = 0.1' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0",
            "metric: of all labels one of AverageF1Score,",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nlabel = "A"\nmin = 0.1' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0",
            "metric: of the label 'A' one of F1Score, Precision, Recall",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmax_drop = 0.1\nmin_improvement = 0.1'
            + FLYWHEEL,
            "flywheels.tickets.policy.rules.0",
            "what must gain may not drop",
        ),
        (
            '[[policy.rules]]\nmetric = "AverageRecall"\nmax_drop = -0.1' + FLYWHEEL,
            "flywheels.tickets.policy.rules.0.max_drop",
            "greater than or equal to 0 (given: -0.1)",
        ),
        (
            '[policy]\ncomparison = "non-inferiority"\n[[policy.rules]]\n'
            'metric = "AverageRecall"\nmin_improvement = 0.1' + FLYWHEEL,
            "flywheels.tickets.policy",
            "takes a challenger that is no better",
        ),
        (
            "[policy]\nmargin = 0.02" + FLYWHEEL,
            "flywheels.tickets.policy",
            "margin = 0.02 goes with",
        ),
        (
            '[policy]\nmode = "shadow"\napprove_first = 5' + FLYWHEEL,
            "flywheels.tickets.policy",
            'approve_first goes with mode = "auto", and mode is "shadow"',
        ),
        (
            '[policy]\nfamily_error = "strict"\nevidence = "none"' + FLYWHEEL,
            "flywheels.tickets.policy",
            'evidence is "none"',
        ),
        (
            '[policy]\nevidence = "averages"\ncomparison = "non-inferiority"' + FLYWHEEL,
            "flywheels.tickets.policy",
            "averages say nothing of the distance to the anchor",
        ),
        (
            '[policy]\nevidence = "averages"\n[[policy.rules]]\nmetric = "AveragePrecision"\n'
            "min_improvement = 0.01" + FLYWHEEL,
            "flywheels.tickets.policy",
            "averages do not say how often each label was predicted",
        ),
        (
            "[policy]\nallow_proven_loss = true" + FLYWHEEL,
            "flywheels.tickets.policy",
            'allow_proven_loss goes with comparison = "non-inferiority"',
        ),
        (
            "[policy]\ntest_looks_warning = 60" + FLYWHEEL,
            "flywheels.tickets.policy",
            "test_looks_warning = 60 comes after test_looks_hold = 52",
        ),
        (
            '[policy]\ncritical_labels = ["C"]' + FLYWHEEL,
            "flywheels.tickets",
            "policy (critical_labels) names 'C'; the flywheel's labels: A, B",
        ),
        (
            '[policy]\ncritical_labels = ["A"]\n[[policy.rules]]\nmetric = "F1Score"\n'
            'label = "A"\nmax_drop = 0.1' + FLYWHEEL,
            "flywheels.tickets.policy",
            "'A' is one of critical_labels and has a max_drop",
        ),
        (
            FLYWHEEL.replace("tickets", "Tickets"),
            "flywheels.Tickets.name",
            "lower-case letters, digits and single hyphens, at most 40",
        ),
        (FLYWHEEL.replace("tickets", "a--b"), "flywheels.a--b.name", "single hyphens"),
        (FLYWHEEL.replace("tickets", "a" * 41), f"flywheels.{'a' * 41}.name", "at most 40"),
        (FLYWHEEL.replace('"en"', '"tlh"'), "flywheels.tickets.language", "(given: 'tlh')"),
        (FLYWHEEL.replace('language = "en"', ""), "flywheels.tickets", "missing language"),
        (
            FLYWHEEL.replace('task = "classification"', ""),
            "flywheels.tickets",
            'task = "classification"',
        ),
        (
            FLYWHEEL + "colour = 1",
            "flywheels.tickets.colour",
            "allowed: adopt, batch, csv, data_access_role_arn, entities_from",
        ),
        (
            FLYWHEEL.replace('["A", "B"]', '["A"]'),
            "flywheels.tickets.labels",
            "2 to 1,000 labels are allowed, 1 are given",
        ),
        (FLYWHEEL.replace('["A", "B"]', '["A", "A "]'), "flywheels.tickets.labels", "no blank"),
        (
            FLYWHEEL.replace('["A", "B"]', '["A", "B", "A"]'),
            "flywheels.tickets.labels",
            "given twice: A",
        ),
        (
            FLYWHEEL.replace('["A", "B"]', '["A", ""]'),
            "flywheels.tickets.labels",
            "1 to 5,000 printable characters",
        ),
        (FLYWHEEL.replace('"B"', '"B\\n"'), "flywheels.tickets.labels", r"'B\n': a label has"),
        (
            FLYWHEEL + 'labels_file = "labels.txt"',
            "flywheels.tickets",
            "labels or labels_file, not both",
        ),
        (
            FLYWHEEL + 'data_access_role_arn = "arn:aws:iam::123456789012:role/x"',
            "flywheels.tickets",
            "`data_access_role_arn` goes with `adopt`",
        ),
        (
            ADOPTED + 'language = "en"',
            "flywheels.tickets",
            "`adopt` takes language from the existing flywheel",
        ),
        (
            ADOPTED.replace("data_access_role_arn", "# "),
            "flywheels.tickets",
            "`adopt` needs `data_access_role_arn`",
        ),
        (
            ADOPTED.replace("flywheel/", "endpoint/"),
            "flywheels.tickets.adopt",
            "should match pattern",
        ),
        (
            ADOPTED.replace("role/", "user/"),
            "flywheels.tickets.data_access_role_arn",
            "should match pattern",
        ),
    ],
)
def test_a_wrong_file_is_told_by_file_and_key_when_it_is_parsed(
    text: str, key: str, allowed: str
) -> None:
    """The message names the file, the key and what is allowed there."""
    file, told = problems(text)
    assert file == "dev.toml"
    (problem,) = [problem for problem in told if problem.startswith(f"{key}: ")]
    assert allowed in problem


@pytest.mark.parametrize(
    ("text", "others", "file", "problem"),
    [
        ("a = ", {}, "dev.toml", "is not TOML: "),
        ('extends = "base.toml"', {}, "base.toml", "cannot be read: No such file or directory"),
        ('extends = "base.toml"', {"base_toml": "= 1"}, "base.toml", "is not TOML: "),
        ('extends = "base.toml"', {"base_toml": b"\xff"}, "base.toml", "is not TOML: "),
        ("extends = 3", {}, "dev.toml", "extends: the name of another file"),
        ('extends = "dev.toml"', {}, "dev.toml", "extends: the name of another file, and never"),
        (
            'extends = "base.toml"\n[flywheels.tickets]\nlabels = ["A"]\nlabels_file = "x.txt"',
            {"base_toml": FLYWHEEL},
            "dev.toml",
            "flywheels.tickets: labels or labels_file, not both",
        ),
        (
            'extends = "base.toml"\n[flywheels]\ntickets = 3',
            {"base_toml": FLYWHEEL},
            "dev.toml",
            "flywheels.tickets: must be a table",
        ),
        (
            'extends = "base.toml"' + FLYWHEEL,
            {"base_toml": "flywheels.tickets = 3\nflywheels.intents = 3"},
            "dev.toml",
            "flywheels.intents: must be a table",
        ),
        (
            'extends = "base.toml"',
            {"base_toml": 'extends = "dev.toml"'},
            "base.toml",
            "extends: the name of another file, and never in a circle",
        ),
        (
            FLYWHEEL.replace('labels = ["A", "B"]', 'labels_file = "labels.txt"'),
            {},
            "dev.toml",
            "flywheels.tickets.labels_file: labels.txt cannot be read: No such file or directory",
        ),
        (
            FLYWHEEL.replace('labels = ["A", "B"]', 'labels_file = "labels.txt"'),
            {"labels_txt": b"caf\xe9\n"},
            "dev.toml",
            "flywheels.tickets.labels_file: labels.txt is not UTF-8",
        ),
    ],
)
def test_the_file_at_fault_is_named_when_one_file_names_another(
    text: str, others: dict[str, str | bytes], file: str, problem: str
) -> None:
    """Of several files the one that must be edited is named."""
    named, told = problems(text, **others)
    assert named == file
    assert told[0].startswith(problem)


@pytest.mark.parametrize("name", ["Dev.toml", "a_b.toml", "far-too-long-x.toml", "-a.toml"])
def test_a_file_is_refused_when_its_name_is_no_environment(name: str) -> None:
    """The environment's name goes into the names of flywheels, so it is short and plain."""
    with pytest.raises(SettingsError, match="1 to 12 lower-case letters"):
        parse_environment(name, lambda _: FLYWHEEL)


def test_a_missing_file_is_told_when_it_is_asked_for() -> None:
    """A file that cannot be read is a settings error as well."""
    with pytest.raises(SettingsError, match=r"^gone\.toml: cannot be read: No such file"):
        parse_environment("gone.toml", reading())


def test_every_problem_is_told_when_there_are_several() -> None:
    """A person repairs a file in one go."""
    _, told = problems("region = 3\n[batch]\nquiet_seconds = 0\npoll_seconds = 0" + FLYWHEEL)
    assert len(told) == 3
