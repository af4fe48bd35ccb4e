"""What an alignment is: which photographs, in which shards, with which settings; written down in the output folder."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from align.config import AlignConfig
from align.photographs import walk
from base.checks import differences
from base.files import atomic_json, read_json, remove_parts
from tfrecords.benchmark import parse_pairs_file
from tfrecords.shard import plan, shard_name
from tfrecords.template import Template, get_template

_NOT_DECIDING = ("input", "output", "pairs", "batch_size", "full_search")


@dataclass(frozen=True)
class Job:
    """Everything that is decided before a photograph is read."""

    config: AlignConfig
    template: Template
    identities: list[str]
    """Sorted; label = place."""
    keys: list[str]
    """Photographs, sorted."""
    shards: list
    """For each shard, the places in `keys` of its photographs, in the order of writing."""
    pairs: list | None
    """(key, key, is_same, fold); None for training data."""
    passed_over: str
    """What in the folder of photographs is not taken for one, in a few words; "" where there is nothing."""

    @property
    def output(self):
        """The dataset folder."""
        return Path(self.config.output)

    def label(self, key):
        """Rank of the identity of a photograph."""
        return self._labels[key.partition("/")[0]]

    def __post_init__(self):
        object.__setattr__(self, "_labels", {name: label for label, name in enumerate(self.identities)})

    def shard_path(self, number):
        """Where shard `number` stands when it is finished."""
        return self.output / shard_name(number, len(self.shards))

    def outcome_path(self, number):
        """What became of the photographs of shard `number`."""
        return self.output / "outcomes" / f"{number:05d}.csv"

    def settings(self):
        """What else decided the crops, for meta.json."""
        settings = dataclasses.asdict(self.config)
        return {name: value for name, value in settings.items() if name not in _NOT_DECIDING}


def plan_job(config):
    """Finds the photographs of a config AlignConfig and divides them into shards.

    Raises:
        FileNotFoundError, ValueError: no photographs, or some that the pairs name are absent (all are listed).
    """
    template = get_template(config.template)
    identities, keys, passed_over = walk(config.input)
    pairs = None
    if config.pairs:
        pairs = parse_pairs_file(config.pairs)
        named = {key for a, b, _, _ in pairs for key in (a, b)}
        absent = sorted(named - set(keys))
        if absent:
            raise ValueError(f"{config.pairs} names {len(absent)} photographs that are not in {config.input}: "
                             f"{', '.join(absent)}. Add them, or take the pairs out of the list"
                             f"{f' (passed over there: {passed_over})' if passed_over else ''}")
        unused = len(keys) - len(named)
        if unused:
            passed_over = "; ".join(filter(None, [passed_over, f"{unused:,} photographs in no pair"]))
        keys = sorted(named)
        identities = sorted({key.partition("/")[0] for key in keys})
    shards = plan(keys, seed=config.seed, shard_size=config.shard_size)
    return Job(config, template, identities, keys, shards, pairs, passed_over)


def open_output(job):
    """Makes the output folder or checks that it is of this job; returns the numbers of the shards still to make.

    Raises:
        ValueError: it is of another job, or holds something else.
    """
    output, stamp = job.output, _stamp(job)
    note = output / "job.json"
    if output.resolve().is_relative_to(Path(job.config.input).resolve()):
        raise ValueError(f"{output} lies in {job.config.input}, so its pictures would be taken for photographs; name a "
                         f"folder outside with --output")
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file; name a folder with --output")
    if note.is_file():
        found = read_json(note)
        other = differences(found, stamp)
        if other:
            raise ValueError(f"{output} is the output of another job: {other}. Go on with the same "
                             f"photographs and settings, or name another folder with --output")
    elif output.is_dir() and any(output.iterdir()):
        raise ValueError(f"{output} is not empty and was not made by this command; name another folder with --output")
    if (output / "meta.json").is_file():
        return []
    (output / "outcomes").mkdir(parents=True, exist_ok=True)
    for folder in (output, output / "outcomes"):
        remove_parts(folder)
    atomic_json(note, stamp)
    return [number for number in range(len(job.shards))
            if not (job.shard_path(number).is_file() and job.outcome_path(number).is_file())]


def _stamp(job):
    listed = hashlib.sha256(repr((job.keys, job.pairs)).encode("utf-8", "surrogateescape")).hexdigest()
    return {"photographs": f"{len(job.keys)} named {listed[:16]}", **job.settings()}
