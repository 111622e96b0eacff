"""The timeline: what was decided or done, as the ledger of a real flywheel tells it."""

from rich.console import Console

from application.champion_changes import change
from console.record.timeline import Event, event_document, timeline_of
from console.views.record import timeline_view
from tests.functions.world import NAME, World, documents

ANN = "arn:aws:sts::123456789012:assumed-role/Operator/ann"


def events(world: World, most: int = 100) -> list[Event]:
    """Return the flywheel's timeline."""
    return timeline_of(world.services.ledger, NAME, most)


def lived(world: World) -> None:
    """Let a flywheel see a refused upload, a promotion, a pause, a rollback and an act too much."""
    world.upload("broken.csv", b"nonsense,one\n")
    world.register(world.put("nowhere/train/x.csv", b"x"))
    world.clock.advance(60)
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    world.compare()
    world.close()
    world.clock.advance(60)
    world.acts().pause("labels are being checked", world.now())
    world.clock.advance(60)
    world.acts().resume("they are right", world.now())
    asked = {"flywheel": NAME, "actor": ANN, "reason": "complaints"}
    for request in ("first", "second"):
        world.clock.advance(60)
        change(world.services, {**asked, "act": "rollback", "request": request})


def test_everything_has_who_and_why_when_a_flywheel_has_lived(live_world: World) -> None:
    """Refused uploads, batches, verdicts, promotions, rollbacks, pauses: newest first."""
    lived(live_world)
    found = events(live_world)
    told = {event.event: event for event in found}
    assert [event.event for event in found if event.who in {ANN, "test"}][:6] == [
        "act refused",
        "champion changed",
        "champion change began",
        "resumed",
        "paused",
        "batch closed",
    ]
    assert told["act refused"].why.startswith(f"{NAME} has no earlier champion")
    assert told["act refused"].why.endswith("(asked for because: complaints)")
    assert told["champion changed"].what.startswith("rollback; live: ")
    assert (told["champion changed"].who, told["champion changed"].why) == (ANN, "complaints")
    assert told["resumed"].why == "they are right"
    assert told["paused"].why == "labels are being checked"
    assert told["verdict"].what == "verdict of batch 1: PROMOTE"
    assert "AverageF1Score" in told["verdict"].why
    assert told["verdict carried out"].batch == 1
    refused = [event for event in found if event.event == "upload refused"]
    assert {event.details["key"] for event in refused} == {
        f"{NAME}/train/broken.csv",
        "nowhere/train/x.csv",
    }
    assert all(event.why for event in refused)
    assert [event.at for event in found] == sorted((event.at for event in found), reverse=True)


def test_the_newest_are_given_when_fewer_are_asked_for(live_world: World) -> None:
    """The same events, cut: none is passed over."""
    lived(live_world)
    whole = events(live_world)
    for most in (1, 3, 7, len(whole), 1000):
        assert events(live_world, most) == whole[:most]
    assert event_document(whole[0])["details"]["why"].startswith(f"{NAME} has no earlier champion")


def test_the_timeline_fits_a_terminal_when_people_read_it(live_world: World) -> None:
    """Every line is within 80 columns, and who acted has a short name."""
    lived(live_world)
    console = Console(width=80)
    with console.capture() as shown:
        console.print(timeline_view(events(live_world)))
    lines = shown.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("ann: complaints" in line for line in lines)
    assert not any("arn:aws:sts" in line for line in lines)


def test_a_withdrawal_names_its_uploads_when_it_is_read(live_world: World) -> None:
    """By the short names of their files, some of many."""
    for name in ("a", "b", "c", "d"):
        live_world.upload(f"{name}.csv", documents(2, first=ord(name)))
    acts, staged = live_world.acts(), live_world.services.ledger.uploads.newest(NAME, 4)
    acts.withdraw(staged[:1], "wrong file", live_world.now())
    acts.withdraw(staged[1:2], "twice", live_world.now())
    first = events(live_world)
    assert [event.what for event in first if event.event == "withdrawal"] == [
        f"1 upload withdrawn: {staged[1].key.rsplit('/', 1)[-1]}",
        f"1 upload withdrawn: {staged[0].key.rsplit('/', 1)[-1]}",
    ]


def test_a_withdrawal_of_many_uploads_names_the_first(live_world: World) -> None:
    """The entry's details name the rest."""
    for name in ("a", "b", "c", "d"):
        live_world.upload(f"{name}.csv", documents(2, first=ord(name)))
    uploads = sorted(
        live_world.services.ledger.uploads.newest(NAME, 4), key=lambda upload: upload.key
    )
    live_world.acts().withdraw(uploads, "another labeler", live_world.now())
    (event,) = [found for found in events(live_world) if found.event == "withdrawal"]
    assert event.what == "4 uploads withdrawn: a.csv, b.csv, c.csv, ..."
    assert len(event.details["uids"]) == 4


def test_no_arn_is_shown_when_a_reason_names_somebody() -> None:
    """People read the short name there, too; the document has the ARN."""
    refused = Event("2026-01-01T00:00:00+00:00", "paused", "paused", ANN, f"no (by {ANN})")
    console = Console(width=80)
    with console.capture() as shown:
        console.print(timeline_view([refused]))
    assert shown.get().split("\n")[1].strip() == "ann: no (by ann)"
    assert event_document(refused)["why"] == f"no (by {ANN})"


def test_there_is_no_event_when_nothing_happened(world: World) -> None:
    """A flywheel without an upload has no timeline."""
    assert events(world) == []
