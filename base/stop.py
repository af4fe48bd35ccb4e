"""Ctrl-C and SIGTERM: at once, or at the next good place."""

import contextlib
import signal
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Set by Ctrl-C or SIGTERM in the body, which ends at its next good place; a second signal stops it at once."""

    def __init__(self):
        self._is_set = False

    def is_set(self):
        """True after the first signal."""
        return self._is_set

    def __enter__(self):
        self._handlers = handlers(self._note)
        self._handlers.__enter__()
        return self

    def __exit__(self, *error):
        self._handlers.__exit__(*error)

    def _note(self, number, frame):
        if self._is_set:
            raise KeyboardInterrupt
        self._is_set = True


@contextlib.contextmanager
def handlers(handler):
    """Gives both signals to `handler` in the body; only the main thread can, elsewhere nothing is changed."""
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number in SIGNALS} if is_main else {}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
