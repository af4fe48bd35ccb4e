"""The job from photographs to a dataset folder; shards are its units, so it goes on where it was stopped."""

import shutil

from align.crops import align_shard
from align.detector import Detector
from align.job import open_output, plan_job
from align.progress import Progress
from align.sheets import write_sheets
from base.checks import require
from tfrecords.folder import Folder, finish
from tfrecords.manifest import read_manifest, write_manifest
from tfrecords.shard import write_shard


def run(config):
    """Aligns the photographs of a config AlignConfig; returns the exit code.

    Raises:
        FileNotFoundError, ValueError: no photographs, absent ones that pairs name, an output folder of another job.
    """
    require(config.input, "input", config.input, "a folder of photographs: --input PHOTOGRAPHS")
    require(config.output, "output", config.output, "a dataset folder to make: --output DATA")
    job = plan_job(config)
    if job.passed_over:
        print(f"passed over in {config.input}: {job.passed_over}", flush=True)
    missing = open_output(job)
    is_finished = (job.output / "meta.json").is_file()
    if not is_finished:
        _align(job, missing)
        _finish(job)
    shutil.rmtree(job.output / "outcomes", ignore_errors=True)
    folder = Folder.open(job.output)
    sheets = write_sheets(folder, config)   # also where a finished job was stopped before them
    done = " is finished" if is_finished else ""
    print(f"{job.output}{done}: {_summary(folder.meta['counts'])}. To look at: {', '.join(map(str, sheets))}")
    return 0


def _finish(job):
    """Turns the shards into a dataset folder."""
    rows = sorted((row for number in range(len(job.shards)) for row in read_manifest(job.outcome_path(number))),
                  key=lambda row: row.key)
    if job.pairs is None and not any(row.status == "aligned" for row in rows):
        raise ValueError(f"no face was found in any of the {len(rows)} photographs of {job.config.input}; look at a "
                         f"few of them, and at --detection.min_face")
    finish(job.output, template=job.template, classes=job.identities, rows=rows, num_shards=len(job.shards),
           settings=job.settings(), quality=job.config.quality, pairs=job.pairs)


def _align(job, missing):
    """Makes the missing shards; a shard exists whole or not at all, and its rows are written after it."""
    sizes = {number: len(job.shards[number]) for number in range(len(job.shards))}
    with Progress(total=len(job.keys), done=len(job.keys) - sum(sizes[number] for number in missing)) as progress:
        detector = Detector(job.config.detection) if missing else None
        for number in missing:
            records, rows = align_shard(job, detector, number, report=progress.advance)
            write_shard(job.shard_path(number), records)
            write_manifest(job.outcome_path(number), rows)


def _summary(counts):
    listed = " (listed in manifest.csv)" if counts["fallback"] + counts["failed"] else ""
    return (f"aligned {counts['aligned']}, fallback {counts['fallback']}, failed {counts['failed']}{listed} of "
            f"{counts['photographs']} photographs of {counts['identities']} people")
