import io
import json
import re
import zipfile
from pathlib import Path

from infra.project_function import folder_of
from tests.infra.synthesis import FUNCTIONS, ROOT, Synthesized, joined, plain

_MOST_ASSET_BYTES = 320 * 1024
_STATES = ("SealBatch", "StartIteration", "CompareModels", "CloseBatch")


def asset(stack: Synthesized) -> Path:
    """Return the folder that is shipped as the functions' code."""
    assets = json.loads(stack.template_file.with_suffix("").with_suffix(".assets.json").read_text())
    (folder,) = [
        file["source"]["path"]
        for file in assets["files"].values()
        if file["source"]["packaging"] == "zip"
    ]
    return stack.folder / str(folder)


def pinned(package: str) -> str:
    """Return the version of a package that requirements.txt pins."""
    line = re.compile(rf"^{package}==(\S+)", re.MULTILINE)
    found = line.search((ROOT / "requirements.txt").read_text())
    assert found
    return found[1]


def test_every_function_is_made_alike_when_it_is_made(each: Synthesized, team: Synthesized) -> None:
    """The same runtime, layer, tracing and asset, and a folder that holds its handler."""
    for stack in (each, team):
        functions = stack.properties("AWS::Lambda::Function")
        for name, function in functions.items():
            folder = folder_of(plain(name))
            assert function["Handler"] == f"{folder}.handler.handler"
            assert (FUNCTIONS / folder / "handler.py").is_file()
            assert function["Description"] == f"functions/{folder}"
            assert function["Runtime"] == "python3.13"
            assert function["Architectures"] == ["arm64"]
            assert function["TracingConfig"] == {"Mode": "Active"}
            (layer,) = function["Layers"]
            place = "/aws/service/powertools/python/arm64/python3.13"
            assert layer == f"{{{{resolve:ssm:{place}/{pinned('aws-lambda-powertools')}}}}}"
        assert len({joined(item["Code"]["S3Key"]) for item in functions.values()}) == 1


def test_every_function_folder_is_deployed_when_all_is_switched_on(team: Synthesized) -> None:
    """No folder of the asset is left without a function that runs it."""
    deployed = {folder_of(plain(name)) for name in team.resources("AWS::Lambda::Function")}
    assert deployed == {path.parent.name for path in FUNCTIONS.glob("*/handler.py")}


def test_logs_go_away_in_time_when_a_function_writes_them(each: Synthesized) -> None:
    """Every function and the workflow have a log group of their own, kept for three months."""
    groups = each.properties("AWS::Logs::LogGroup")
    for function in each.properties("AWS::Lambda::Function").values():
        assert groups[function["LoggingConfig"]["LogGroup"]["Ref"]]["RetentionInDays"] == 90
    assert all(group["RetentionInDays"] == 90 for group in groups.values())
    assert len(groups) == len(each.resources("AWS::Lambda::Function")) + 1


def test_one_name_goes_through_the_house_when_a_state_calls_a_function(dev: Synthesized) -> None:
    """State, construct id, folder and tests of a function have the same name."""
    called = {
        name: state["Resource"]
        for name, state in dev.states().items()
        if str(state.get("Resource")).endswith(".Arn}")
    }
    assert called == {name: "${" + f"{name}.Arn" + "}" for name in _STATES}
    for name in _STATES:
        assert (FUNCTIONS / folder_of(name) / "handler.py").is_file()
        assert (ROOT / "tests" / "functions" / folder_of(name)).is_dir()


def test_no_secret_is_in_a_variable_when_a_function_is_made(team: Synthesized) -> None:
    """Variables hold names and addresses of resources only."""
    for function in team.properties("AWS::Lambda::Function").values():
        values = [joined(value) for value in function["Environment"]["Variables"].values()]
        assert not [value for value in values if "hooks.slack.com" in value]


def test_the_asset_is_small_and_clean_when_it_is_zipped(dev: Synthesized) -> None:
    """Exactly the sources are shipped, and they are few."""
    folder = asset(dev)
    shipped = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    sources = {
        str(path.relative_to(FUNCTIONS))
        for path in FUNCTIONS.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert shipped == sources
    assert {Path(name).suffix for name in shipped} == {".py"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(shipped):
            archive.write(folder / name, name)
    assert len(packed.getvalue()) < _MOST_ASSET_BYTES
