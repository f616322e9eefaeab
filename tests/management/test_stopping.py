"""Signals ask a command to stop, where signals are its own."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from deliverystore.management.stopping import on_stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_ends_the_process(number):
    asked, before = [], handlers()

    with on_stop(lambda: asked.append(1)):
        assert handlers() != before
        os.kill(os.getpid(), number)
        assert handlers() == [signal.SIG_DFL, signal.SIG_DFL]

    assert asked == [1]
    assert handlers() == before


def test_beside_the_main_thread_signals_are_left_alone():
    before, seen, asked = handlers(), [], []

    def work():
        with on_stop(lambda: asked.append(1)):
            seen.append(handlers())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert (seen, asked) == ([before], [])
