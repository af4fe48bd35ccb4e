"""A training run, from settings to a finished run folder."""

import dataclasses
import time

import tensorflow as tf

from base.stop import Stop
from evaluation.benchmark import open_benchmark
from tfrecords.pipeline import training_batches
from training import placement, schedule
from training.build import Source, build_parts, decay_summary, describe_data, lone_crops, open_data
from training.checkpoint import Checkpoints
from training.config import TrainingConfig, check_complete
from training.monitor import Monitor
from training.results import Results, check_best, load_first_weights
from training.runfolder import data_digest, open_run
from training.step import MEASURED, Parts, make_step


def run(config):
    """Trains, or goes on training, or says that the run is finished; returns the exit code.

    Args:
        config: a TrainingConfig. The run folder is `config.run`.

    Raises:
        ValueError: settings, data or run folder that do not fit; each names itself and the cure.
    """
    # --- what is there -------------------------------------------------------------------------------------------
    check_complete(config)
    source = open_data(config)
    benchmarks = [open_benchmark(path, source.folder.template) for path in config.data.benchmarks]
    check_best(config, benchmarks)
    config = dataclasses.replace(config, engine=dataclasses.replace(
        config.engine, precision=placement.resolve_precision(config.engine.precision)))
    if config.engine.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = placement.choose(config.engine, batch_size=config.data.batch_size)

    # --- what is built -------------------------------------------------------------------------------------------
    parts = build_parts(config, source, strategy)   # before the run folder: a name that is none leaves no trace
    digests = {"configuration": open_run(config), "data": data_digest(source.folder, source.selection)}
    checkpoints = Checkpoints(config.run, parts, keep=config.intervals.keep, digests=digests)
    first_step = checkpoints.restore()
    if not first_step and config.network.init_from:
        load_first_weights(parts.model, config.network.init_from)
    num_steps = schedule.num_steps(config.schedule, crops_an_epoch=source.order.epoch,
                                   batch_size=config.data.batch_size)
    results = Results(config, source, parts, benchmarks=benchmarks, num_steps=num_steps, digests=digests)
    job = _Job(config, source, parts, checkpoints, results, num_steps)
    if first_step >= num_steps and results.are_written():
        print(f"{config.run} is finished: {num_steps} steps. Evaluate it: python evaluate.py {config.run} "
              f"--benchmarks DATA")
        return 0

    # --- the loop ------------------------------------------------------------------------------------------------
    with Monitor(config.run, num_steps=num_steps, first_step=first_step, interval=config.intervals.log) as monitor:
        _introduce(job, monitor, first_step)
        with Stop() as stop:
            step = _loop(job, monitor, first_step, stop)
        if step < num_steps:
            monitor.say(f"stopped after step {step} of {num_steps}; the same command goes on from there")
            return 130
        results.finish(step, monitor)
    return 0


@dataclasses.dataclass(frozen=True)
class _Job:
    """What a run works with."""

    config: TrainingConfig
    source: Source
    parts: Parts
    checkpoints: Checkpoints
    results: Results
    num_steps: int


def _loop(job, monitor, first_step, stop):
    """Steps first_step .. num_steps - 1; returns the number of steps done, fewer where `stop` is set."""
    config, parts, every = job.config, job.parts, job.config.intervals
    take = make_step(parts, batch_size=config.data.batch_size, jit_compile=config.engine.jit_compile)
    batches = iter(training_batches(
        job.source.folder, job.source.selection, order=job.source.order, augmentation=config.augmentation,
        batch_size=config.data.batch_size, first_step=first_step, last_step=job.num_steps))
    for step in range(first_step, job.num_steps):
        asked = time.monotonic()
        batch = next(batches)
        waited = time.monotonic() - asked
        if step == first_step:
            job.results.first_batch(batch, monitor)
        rate = schedule.learning_rate(config.schedule, step, num_steps=job.num_steps)
        share = schedule.margin_share(config.loss, step, num_steps=job.num_steps)
        measured = take(placement.split(parts.strategy, batch), _scalar(rate), _scalar(share), tf.constant(step))
        measured = _checked(dict(zip(MEASURED, measured.numpy().tolist(), strict=True)), config, step)
        done = step + 1
        monitor.step(done, {**measured, "rate": rate, "margin_share": share}, waited=waited,
                     crops=config.data.batch_size)
        monitor.pause()
        if done % every.checkpoint == 0 or done == job.num_steps or stop.is_set():
            job.checkpoints.save(done)
            job.results.write_model(done)
        if every.evaluate and done % every.evaluate == 0 and done < job.num_steps:
            job.results.evaluate(done, monitor)
        monitor.go_on()
        if stop.is_set():
            return done
    return job.num_steps


def _checked(measured, config, step):
    """What was measured; ValueError where the guard kept a step from changing anything."""
    if not measured.pop("is_finite"):
        raise ValueError(f"step {step + 1} gave loss {measured['loss']} and gradient norm "
                         f"{measured['gradient_norm']}; nothing was changed by it. Lower --schedule.rate or set "
                         f"--optimizer.clip_norm; the newest checkpoint of {config.run} is whole")
    return measured


def _introduce(job, monitor, first_step):
    """Prints what is going to happen: data, network, placement, decay, disk."""
    config = job.config
    epochs = job.num_steps * config.data.batch_size / job.source.order.epoch
    for line in (
        describe_data(job.source, job.parts),
        f"{placement.describe(job.parts.strategy)}, {config.engine.precision}; {job.num_steps} steps of "
        f"{config.data.batch_size} crops ({epochs:.1f} epochs)",
        lone_crops(job.source),
        decay_summary(job.parts),
        job.parts.head.advice,
        f"checkpoints need {job.checkpoints.size() * config.intervals.keep / 1e6:.0f} MB in {job.checkpoints.folder}",
        placement.precision_warning(config.engine.precision),
        f"going on after step {first_step}" if first_step else "",
    ):
        if line:
            monitor.say(line)


def _scalar(value):
    """A 0-d tensor: a changing number traces nothing anew."""
    return tf.constant(value, tf.float32)
