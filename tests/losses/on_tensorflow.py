"""Values and gradients of a case in TensorFlow."""

import tensorflow as tf

from tests.losses.cases import arrays, per_sample


def gradients(case, dtype, **options):
    """(losses, {grad_name: array}, state) of a case in TensorFlow."""
    named = {name: tf.constant(array) for name, array in arrays(case, dtype).items()}
    with tf.GradientTape() as tape:
        tape.watch(list(named.values()))
        values, state = per_sample(case, named, **options)
        mean = tf.reduce_mean(values)
    found = tape.gradient(mean, named, unconnected_gradients="zero")
    return values.numpy(), {f"grad_{name}": tf.convert_to_tensor(g).numpy() for name, g in found.items()}, state
