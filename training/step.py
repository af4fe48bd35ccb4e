"""One training step: crops, labels -> loss, gradients, measurements; then the guard; then the update."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from training.optimizer import global_norm

MEASURED = ("loss", "accuracy", "target_angle_degrees", "embedding_norm", "gradient_norm", "is_finite")


@dataclass(frozen=True)
class Parts:
    """What a step works on."""

    model: object
    """Keras backbone: {crops, g} or crops -> embeddings [B, D]."""
    head: object
    """losses.head.Head."""
    optimizer: object
    """training.optimizer.SGD."""
    strategy: object
    """tf.distribute strategy."""


def make_step(parts, *, batch_size, jit_compile):
    """Returns step(batch, rate, share, number) -> float32 [len(MEASURED)], compiled.

    `batch` holds crops, labels and g (split over replicas), `rate` is the learning rate, `share` the margin's share,
    `number` the step's number; the last three are 0-d tensors, so that changing them traces nothing anew. A
    non-finite loss or gradient leaves everything as it was, batch statistics included, and is measured as is_finite 0.
    """
    def replica(batch, rate, share, number):
        return _replica(parts, batch, rate=rate, share=share, number=number, batch_size=batch_size)

    @tf.function(jit_compile=jit_compile)
    def step(batch, rate, share, number):
        measured = parts.strategy.run(replica, args=(batch, rate, share, number))
        return parts.strategy.experimental_local_results(measured)[0]

    return step


def _replica(parts, batch, *, rate, share, number, batch_size):
    statistics = [variable.value for variable in parts.model.non_trainable_variables]
    before = [tf.identity(value) for value in statistics]   # batch norm assigns them inside the forward pass
    with tf.GradientTape() as tape:
        embeddings = parts.model(_inputs(parts.model, batch), training=True)
        rows = parts.head.rows(embeddings, batch["labels"], margin_share=share, step=number, g=_words(batch),
                               gather=_gather)
        loss = tf.reduce_sum(rows.loss) / batch_size
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, parts.optimizer.variables)]
    sums = tf.stack([loss, *(tf.reduce_sum(value) / batch_size for value in (
        rows.correct, tf.acos(tf.clip_by_value(rows.target_cosine, -1.0, 1.0)) * (180 / np.pi), rows.norm))])
    *gradients, sums = tf.distribute.get_replica_context().all_reduce("SUM", [*gradients, sums])
    norm = global_norm(gradients)
    is_finite = tf.math.is_finite(sums[0]) & tf.math.is_finite(norm)
    parts.optimizer.update(gradients, rate=rate, is_finite=is_finite)
    for value, old in zip(statistics, before, strict=True):
        value.assign(tf.where(is_finite, value, old))
    for name, variable in parts.head.state.items():
        value = variable.value
        value.assign(tf.where(is_finite, tf.cast(rows.state[name], value.dtype), value))
    return tf.concat([sums, [norm, tf.cast(is_finite, tf.float32)]], axis=0)


def _inputs(model, batch):
    """The crops, and g as two int32 words where the network has dropout."""
    return batch["crops"] if len(model.inputs) == 1 else {"crops": batch["crops"], "g": _words(batch)}


def _words(batch):
    """Running numbers as two int32 words, [B, 2]."""
    return tf.bitcast(batch["g"], tf.int32)


def _gather(rows):
    """Joins [B, ...] of all replicas in their order; nothing is differentiated through it."""
    context = tf.distribute.get_replica_context()
    return rows if context.num_replicas_in_sync == 1 else context.all_gather(rows, axis=0)
