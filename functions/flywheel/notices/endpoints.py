"""Which endpoints serve a model that has just gone live, as sentences.

Decides from what the service says; pure. An endpoint that is bound to the flywheel follows its
active model by itself, one that is bound to a model stays there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_SERVING = "IN_SERVICE"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of the account.

    Parameters
    ----------
    arn, status : str
    model : str or None
        What it serves now.
    flywheel_arn : str or None
        The flywheel that it follows, if any.
    """

    arn: str
    status: str
    model: str | None
    flywheel_arn: str | None


def endpoint_words(
    endpoints: Sequence[Endpoint], flywheel_arn: str, live: str, models: Collection[str]
) -> list[str]:
    """Return sentences about endpoints after a model went live.

    Parameters
    ----------
    endpoints : sequence of Endpoint
        All of the account.
    flywheel_arn : str
    live : str
        The model that is active now.
    models : collection of str
        Models that were active before; versions of the same model are known by their ARN.

    Examples
    --------
    >>> endpoint_words([], "flywheel", "model/version/2", [])
    ['No endpoint follows the flywheel.']
    """
    followers = [
        f"Endpoint {endpoint.arn} follows the flywheel: {_reached(endpoint, live)}."
        for endpoint in endpoints
        if endpoint.flywheel_arn == flywheel_arn
    ]
    pinned = [
        f"Endpoint {endpoint.arn} is pinned to {endpoint.model} and does not follow."
        for endpoint in endpoints
        if endpoint.flywheel_arn is None and endpoint.model and _is_one_of(endpoint, live, models)
    ]
    return [*(followers or ["No endpoint follows the flywheel."]), *pinned]


def _reached(endpoint: Endpoint, live: str) -> str:
    if endpoint.model != live:
        return f"the new model is on its way ({endpoint.status}), {endpoint.model} still serves"
    is_serving = endpoint.status == _SERVING
    return "it serves the new model" if is_serving else f"the new model is {endpoint.status}"


def _is_one_of(endpoint: Endpoint, live: str, models: Collection[str]) -> bool:
    model = str(endpoint.model)
    return model in {live, *models} or _whole(model) == _whole(live)


def _whole(model: str) -> str:
    """Return a model's ARN without its version."""
    return model.split("/version/", 1)[0]
