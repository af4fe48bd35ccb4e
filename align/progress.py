"""Progress over photographs: a bar with rate and remaining time; a plain line a minute where there is no terminal."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Counts photographs."""

    def __init__(self, *, total, done, doing="aligning", did="aligned"):
        """`done` of `total` photographs were dealt with by an earlier call; `doing` and `did` are words for it."""
        self.total, self.done, self._first, self._did = total, done, done, did
        console = Console(stderr=True)
        self._is_bar = console.is_terminal
        self._bar = Bar(TextColumn(doing), BarColumn(), MofNCompleteColumn(),
                        TextColumn("{task.fields[rate]:.0f} photographs/s"), TimeRemainingColumn(),
                        console=console, disable=not self._is_bar)
        self._task = self._bar.add_task("", total=total, completed=done, rate=0.0)

    def __enter__(self):
        self._started = self._spoken = time.monotonic()
        self._bar.start()
        return self

    def __exit__(self, *_):
        self._bar.stop()

    def advance(self, count):
        """Takes note of `count` more photographs."""
        self.done += count
        now = time.monotonic()
        rate = (self.done - self._first) / max(now - self._started, 1e-9)
        self._bar.update(self._task, completed=self.done, rate=rate)
        if not self._is_bar and now - self._spoken >= 60:
            self._spoken = now
            minutes, seconds = divmod(round((self.total - self.done) / rate), 60)
            print(f"{self._did} {self.done} of {self.total} photographs, {rate:.0f}/s, {minutes}:{seconds:02d} left",
                  file=sys.stderr, flush=True)
