import os
import signal
import sys
import threading
import time

import pytest

from base import settings
from base.stop import Interrupt, Stop

pytestmark = pytest.mark.usefixtures("heard_signals")


def send(number=signal.SIGTERM):
    os.kill(os.getpid(), number)
    time.sleep(0.01)   # handlers run between two steps of Python


class Swallows:
    """Where a destructor is left by an exception, Python tells it and goes on."""

    def __del__(self):
        send()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_interrupt_and_the_handlers_come_back(number):
    before = signal.getsignal(number), sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), Interrupt():
        send(number)
    assert (signal.getsignal(number), sys.unraisablehook) == before


def swallow_and_wait():
    with Interrupt():
        Swallows()
        time.sleep(9)


def test_a_swallowed_signal_comes_again(capfd):
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        swallow_and_wait()
    assert time.monotonic() - started < 5
    assert capfd.readouterr().err == ""
    time.sleep(0.6)   # and no third time, outside


def test_an_error_made_of_a_signal_is_a_stop(capsys):
    @settings.command("prog")
    def main(argv):
        try:
            send()
        except KeyboardInterrupt as error:
            raise ImportError("a half imported module") from error

    assert main([]) == 130
    assert capsys.readouterr().err == "prog: stopped; what is finished stays, the same command goes on from there\n"


def test_the_first_signal_waits_for_a_good_place_and_the_second_does_not():
    with Stop() as stop:
        assert not stop.is_set()
        send()
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_what_is_to_be_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupt():
            send(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_nothing_is_changed():
    found = []

    def body():
        with Interrupt():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]
