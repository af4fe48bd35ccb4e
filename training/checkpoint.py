"""Checkpoints: everything that changes in a run, written beside, synced, renamed; the newest complete one counts."""

import shutil
from pathlib import Path

import tensorflow as tf

from base.files import atomic_json, publish, read_json, sync

_FOLDER, _PREFIX = "checkpoints", "step-"


def whole_checkpoints(run):
    """Returns the folders of a run's complete checkpoints, the newest last."""
    return sorted(path for path in (Path(run) / _FOLDER).glob(f"{_PREFIX}*") if (path / "about.json").is_file())


class Checkpoints:
    """The checkpoints of one run.

    What is kept: weights, batch statistics, centers, velocities and the step; nothing else is state, since order,
    augmentation and dropout are functions of (seed, g).
    """

    def __init__(self, run, parts, *, keep, digests):
        """Prepares to write and read.

        Args:
            run: run folder.
            parts: training.step.Parts.
            keep: how many of the newest are kept.
            digests: dict of what must be equal to go on: configuration and data.
        """
        self.folder, self.keep, self.digests = Path(run) / _FOLDER, keep, digests
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in self.folder.glob(".*.part"):   # of a run that was killed while writing
            shutil.rmtree(part)
        variables = [*parts.model.variables, *parts.head.variables]
        self._state = tf.train.Checkpoint(weights=[variable.value for variable in variables],
                                          velocities=parts.optimizer.velocities)

    def save(self, step):
        """Writes the state after `step` steps; returns the folder."""
        target = self.folder / f"{_PREFIX}{step:08d}"
        part = self.folder / f".{target.name}.part"
        part.mkdir()
        self._state.write(str(part / "state"))
        atomic_json(part / "about.json", {"format": 1, "step": step, **self.digests})
        for file in part.iterdir():
            sync(file)
        sync(part)
        if target.exists():   # the same step again, after a resume
            shutil.rmtree(target)
        publish(part, target)
        for old in whole_checkpoints(self.folder.parent)[:-self.keep]:
            shutil.rmtree(old)
        return target

    def restore(self):
        """Restores the newest checkpoint and returns its step; 0 where there is none.

        Raises:
            ValueError: it belongs to another configuration or other data.
        """
        found = whole_checkpoints(self.folder.parent)
        if not found:
            return 0
        about = read_json(found[-1] / "about.json")
        for name, digest in self.digests.items():
            if about.get(name) != digest:
                raise ValueError(f"{found[-1]} was written for another {name} ({about.get(name)!r}, now {digest!r}); "
                                 f"go on with what it was made with, or take a new run folder")
        self._state.read(str(found[-1] / "state")).assert_consumed()
        return about["step"]

    def size(self):
        """Bytes of one checkpoint."""
        variables = [*self._state.weights, *self._state.velocities]
        return sum(variable.shape.num_elements() * variable.dtype.size for variable in variables)
