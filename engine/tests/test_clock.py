"""The clocks."""

import threading

from comprehend_engine.clock import DrivenClock, SystemClock


def test_a_wait_ends_when_the_driven_clock_reaches_the_moment() -> None:
    """Nothing but `advance` lets time pass."""
    clock, reached = DrivenClock(start=100.0), threading.Event()

    def wait() -> None:
        if clock.wait_until(110.0, threading.Event()):
            reached.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    clock.advance(9.0)
    assert not reached.is_set()
    clock.advance(1.0)
    waiting.join()
    assert reached.is_set()
    assert clock.now() == 110.0


def test_a_wait_ends_at_once_when_a_stop_is_asked_for() -> None:
    """Both clocks return False after a stop."""
    stop = threading.Event()
    stop.set()
    assert DrivenClock().wait_until(9e9, stop) is False
    assert SystemClock().wait_until(9e9, stop) is False


def test_a_wait_is_over_when_the_moment_has_passed() -> None:
    """The past is not waited for."""
    assert SystemClock().wait_until(0.0, threading.Event()) is True
