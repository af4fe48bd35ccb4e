"""Learning rate and margin against steps."""

import math


def learning_rate(schedule, step, *, num_steps):
    """Rate of step `step` (from 0) in a run of `num_steps`; `schedule` is a config Schedule."""
    if step < schedule.warmup_steps:
        return schedule.rate * (step + 1) / schedule.warmup_steps
    if schedule.kind == "cosine":
        share = (step - schedule.warmup_steps) / max(1, num_steps - schedule.warmup_steps)
        return schedule.rate * 0.5 * (1 + math.cos(math.pi * share))
    if schedule.kind == "step":
        return schedule.rate * schedule.factor ** sum(step >= drop for drop in schedule.drops)
    return schedule.rate


def margin_share(loss, step, *, num_steps):
    """Share of the margin in force at step `step`, 0 to 1; `loss` is a config Loss."""
    start, end = loss.ramp_from * num_steps, loss.ramp_to * num_steps
    if step >= end:
        return 1.0
    return max(0.0, (step - start) / (end - start))


def num_steps(schedule, *, crops_an_epoch, batch_size):
    """Length of the run in steps."""
    return schedule.steps or max(1, round(schedule.epochs * crops_an_epoch / batch_size))
