from benchmarks.burst import NAMES, BurstPlay


def test_nothing_is_lost_when_a_burst_comes_to_several_flywheels() -> None:
    """Each flywheel makes one batch, one dataset and two notices of what it got."""
    burst = BurstPlay().play(90)
    assert burst.deliveries > burst.uploads == burst.registered == 90
    assert burst.lost == burst.lost_documents == 0
    assert burst.batches == burst.datasets == len(NAMES)
    assert burst.notices == 2 * len(NAMES)


def test_an_upload_takes_no_more_calls_when_a_burst_is_larger() -> None:
    """What one upload asks of the ports does not grow with the number of others."""
    small, large = BurstPlay().play(150), BurstPlay().play(600)
    assert large.registering_calls / 600 <= small.registering_calls / 150
    assert large.registering_listed / 600 <= small.registering_listed / 150
    assert large.all_calls / 600 <= small.all_calls / 150
