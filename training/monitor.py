"""What a person sees of a run: progress in the terminal, curves in TensorBoard, log.jsonl."""

import json
import sys
import time
from pathlib import Path

import tensorflow as tf
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from base.files import atomic_text, naming

_TAGS = {
    "loss": "train/loss",
    "accuracy": "train/accuracy without margin",
    "target_angle_degrees": "train/target angle, degrees",
    "embedding_norm": "train/embedding norm",
    "gradient_norm": "train/gradient norm",
    "rate": "schedule/learning rate",
    "margin_share": "schedule/margin share",
    "crops_per_s": "speed/crops a second",
    "waiting": "speed/share of time waiting for input",
}


class Monitor:
    """Takes the measurements of every step, averages them over a log interval and shows them."""

    def __init__(self, run, *, num_steps, first_step, interval):
        """Opens the log (cut back to `first_step`), the TensorBoard folder and the progress bar."""
        self.run, self.interval, self.num_steps = Path(run), interval, num_steps
        self._before = cut_back(self.run / "log.jsonl", first_step)
        self.writer = tf.summary.create_file_writer(str(self.run / "events"))
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(), console=self.console, disable=not self.console.is_terminal)
        self.task = self.progress.add_task("", total=num_steps, completed=first_step, text="")
        self._spoken = self._started = time.monotonic()
        self._sums, self._count, self._waited, self._since = {}, 0, 0.0, time.monotonic()

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *_):
        self.progress.stop()
        self.writer.close()

    def step(self, step, measured, *, waited, crops):
        """Takes what step number `step` (from 1) measured, a dict of floats, the seconds it waited for input."""
        for name, value in measured.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        self._waited += waited
        self.progress.update(self.task, completed=step)
        if step % self.interval == 0 or step == self.num_steps:
            self._log(step, crops)

    def pause(self):
        """Leaves out of the speed what was done since the last step (checkpoint, benchmark)."""
        self._lost_from = time.monotonic()

    def go_on(self):
        """Ends `pause`."""
        self._since += time.monotonic() - self._lost_from

    def scalars(self, step, values):
        """Writes name -> number to TensorBoard."""
        with self.writer.as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def picture(self, tag, image, step):
        """Shows a uint8 RGB picture in TensorBoard."""
        with self.writer.as_default(step=step):
            tf.summary.image(tag, image[None])
        self.writer.flush()

    def text(self, tag, text):
        """Shows Markdown in TensorBoard."""
        with self.writer.as_default(step=0):
            tf.summary.text(tag, text)

    def say(self, text):
        """Prints a line above the progress bar."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show(self, renderable):
        """Prints a table of rich's."""
        self.console.print(renderable)

    def _log(self, step, crops):
        seconds = max(time.monotonic() - self._since, 1e-9)
        line = {name: total / self._count for name, total in self._sums.items()}
        line |= {"crops_per_s": self._count * crops / seconds, "waiting": self._waited / seconds,
                 "seconds": self._before + time.monotonic() - self._started}
        path = self.run / "log.jsonl"
        with naming(path), open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **{name: _short(value) for name, value in line.items()}}) + "\n")
        self.scalars(step, {_TAGS[name]: value for name, value in line.items() if name in _TAGS})
        self.writer.flush()
        text = (f"loss {line['loss']:.3f}  accuracy {line['accuracy']:.3f}  "
                f"{line['crops_per_s']:.0f} crops/s")
        self.progress.update(self.task, text=text)
        if not self.console.is_terminal and time.monotonic() - self._spoken >= 60:
            self._spoken = time.monotonic()
            left = (self.num_steps - step) * seconds / self._count
            print(f"step {step} of {self.num_steps}  {text}  {_clock(left)} left", file=sys.stderr, flush=True)
        self._sums, self._count, self._waited, self._since = {}, 0, 0.0, time.monotonic()


def cut_back(path, step):
    """Drops the lines of a log.jsonl later than `step`, and one half written; returns the seconds trained so far."""
    if not Path(path).is_file():
        return 0.0
    kept, seconds = [], 0.0
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            if entry["step"] <= step:
                kept.append(line + "\n")
                seconds = entry["seconds"]
        except (json.JSONDecodeError, KeyError, TypeError):
            break
    atomic_text(path, "".join(kept))
    return seconds


def _short(value):
    return float(f"{value:.7g}")


def _clock(seconds):
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
