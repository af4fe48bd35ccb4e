"""Ctrl-C and SIGTERM: at once, or at the next good place."""

import atexit
import contextlib
import signal
import sys
import threading

_AGAIN_SECONDS = 0.5


class Stop:
    """Set by Ctrl-C or SIGTERM in the body, which ends at its next good place; a second signal ends it at once."""

    def __init__(self):
        self._is_set = False

    def is_set(self):
        """True after the first signal."""
        return self._is_set

    def __enter__(self):
        self._undo = contextlib.ExitStack()
        self._undo.enter_context(_handled(self._note, signal.SIGINT, signal.SIGTERM))
        return self

    def __exit__(self, *error):
        self._undo.close()

    def _note(self, number, frame):
        if self._is_set:
            raise KeyboardInterrupt
        self._is_set = True


class Interrupt(Stop):
    """Both signals raise KeyboardInterrupt in the body.

    Where a library swallows it (in a destructor, in a callback of the garbage collector), it is raised again; where
    one makes another error of it, `is_set` tells.
    """

    def __enter__(self):
        super().__enter__()
        before = sys.unraisablehook
        self._undo.callback(setattr, sys, "unraisablehook", before)
        sys.unraisablehook = lambda told: issubclass(told.exc_type, KeyboardInterrupt) or before(told)
        self._undo.enter_context(_handled(self._note, signal.SIGALRM))
        self._undo.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        return self

    def _note(self, number, frame):
        self._is_set = True
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        raise KeyboardInterrupt


def ignore_at_exit():
    """From here to the end of the process nothing is left to stop, and TensorFlow takes a second to leave."""
    atexit.register(_ignore)


def _ignore():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _handled(handler, *numbers):
    """Gives signals to `handler` in the body; only the main thread can, elsewhere nothing is changed.

    Those that whoever started the process has it ignore (`nohup`, `&` in a script) stay ignored.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number in numbers
              if is_main and signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
