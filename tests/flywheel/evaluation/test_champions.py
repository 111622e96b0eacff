import pytest

from flywheel.evaluation.champions import (
    Champion,
    ChampionSource,
    PromotionMode,
    promotion_mode,
    rollback_target,
)
from flywheel.notices.endpoints import Endpoint, endpoint_words
from flywheel.settings.policy import Policy


def history(*models: str | None) -> list[Champion]:
    """Return champions in this order."""
    return [
        Champion(
            number, model, ChampionSource.VERDICT, "compare_models", "2026-01-01T00:00:00+00:00"
        )
        for number, model in enumerate(models, 1)
    ]


@pytest.mark.parametrize(
    ("policy", "before", "course"),
    [
        (Policy(), 0, PromotionMode.ASK),
        (Policy(), 2, PromotionMode.ASK),
        (Policy(), 3, PromotionMode.ACT),
        (Policy(approve_first=0), 0, PromotionMode.ACT),
        (Policy(mode="approve"), 1000, PromotionMode.ASK),
        (Policy(mode="shadow"), 0, PromotionMode.SHADOW),
    ],
)
def test_the_policy_says_how_when_a_verdict_promotes(
    policy: Policy, before: int, course: PromotionMode
) -> None:
    """Production asks a person about the first three; a shadow never acts."""
    assert promotion_mode(policy, before) is course


@pytest.mark.parametrize(
    ("models", "active", "barred", "target"),
    [
        ([], "a", [], None),
        (["a"], "a", [], None),
        (["a", "b"], "b", [], "a"),
        (["a", "b", "a"], "a", ["b"], None),
        (["a", "b", "c", "b"], "b", ["c"], "a"),
        (["a", "b"], "outside", [], "b"),
        (["a", None, "b"], "b", [], "a"),
    ],
)
def test_the_last_one_before_is_found_when_somebody_rolls_back(
    models: list[str | None], active: str, barred: list[str], target: str | None
) -> None:
    """Never the present one, and never one that was rolled back from."""
    assert rollback_target(history(*models), active, barred) == target


def test_endpoints_are_told_apart_when_a_model_went_live() -> None:
    """Followers that are there, followers on their way, pinned ones, and nobody else's."""
    live, old = "m/version/2", "m/version/1"
    endpoints = [
        Endpoint("there", "IN_SERVICE", live, "flywheel"),
        Endpoint("moving", "UPDATING", old, "flywheel"),
        Endpoint("starting", "CREATING", live, "flywheel"),
        Endpoint("pinned", "IN_SERVICE", old, None),
        Endpoint("pinned to another that was live", "IN_SERVICE", "other", None),
        Endpoint("a stranger", "IN_SERVICE", "strange", None),
        Endpoint("a stranger's follower", "IN_SERVICE", "strange", "strange flywheel"),
    ]
    words = endpoint_words(endpoints, "flywheel", live, ["other"])
    assert words == [
        "Endpoint there follows the flywheel: it serves the new model.",
        "Endpoint moving follows the flywheel: the new model is on its way (UPDATING), "
        "m/version/1 still serves.",
        "Endpoint starting follows the flywheel: the new model is CREATING.",
        "Endpoint pinned is pinned to m/version/1 and does not follow.",
        "Endpoint pinned to another that was live is pinned to other and does not follow.",
    ]
    assert endpoint_words([], "flywheel", live, []) == ["No endpoint follows the flywheel."]
