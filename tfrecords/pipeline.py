"""Input: batches of crops for training, in an order that is a function of (seed, g), and for embedding."""

import numpy as np
import tensorflow as tf

from tfrecords.augment import apply, draw


def training_batches(folder, selection, *, order, augmentation, batch_size, first_step, last_step):
    """Batches of steps first_step to last_step - 1; step t holds the crops g = t B .. (t + 1) B - 1.

    Args:
        folder: a Folder.
        selection: a Selection of it.
        order: a function of g, int64 [B] -> places in the selection (`tfrecords.order`); its seed drives the
            augmentation too.
        augmentation: Augmentation settings.
        batch_size: B, the global batch.
        first_step: from 0.
        last_step: not read itself.

    Returns:
        A tf.data.Dataset of dicts: crops uint8 [B, H, W, 3], labels int32 [B], g int64 [B].
    """
    height, width = folder.template.shape

    def read(step):
        g = np.arange(step * batch_size, (step + 1) * batch_size, dtype=np.int64)
        place = order(g)
        payloads = np.array([folder.payload(record) for record in selection.records[place]], object)
        return payloads, selection.labels[place].astype(np.int32), g

    def change(crops, g):
        return apply(crops, draw(augmentation, seed=order.seed, g=g, height=height, width=width))

    def load(step):
        payloads, labels, g = tf.numpy_function(read, [step], (tf.string, tf.int32, tf.int64), stateful=False)
        crops = decode(tf.ensure_shape(payloads, (batch_size,)), height, width)
        crops = tf.numpy_function(change, [crops, g], tf.uint8, stateful=False)
        return {"crops": tf.ensure_shape(crops, (batch_size, height, width, 3)),
                "labels": tf.ensure_shape(labels, (batch_size,)), "g": tf.ensure_shape(g, (batch_size,))}

    steps = tf.data.Dataset.range(first_step, last_step)
    batches = steps.map(load, num_parallel_calls=2, deterministic=True)
    return batches.prefetch(2)


def embedding_batches(folder, *, batch_size):
    """Yields all crops of a folder in record order: uint8 [b, H, W, 3], record numbers [b]; the last may be short."""
    height, width = folder.template.shape
    for start in range(0, folder.num_records, batch_size):
        numbers = np.arange(start, min(start + batch_size, folder.num_records))
        payloads = tf.constant([folder.payload(number) for number in numbers])
        yield _decode(payloads, height, width).numpy(), numbers


def decode(payloads, height, width):
    """Payloads, string [B] -> crops uint8 RGB [B, H, W, 3], bit-equal to OpenCV's decoder."""
    features = {"image/encoded": tf.io.FixedLenFeature((), tf.string)}
    encoded = tf.io.parse_example(payloads, features)["image/encoded"]

    def one(jpeg):
        return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")

    crops = tf.map_fn(one, encoded, fn_output_signature=tf.uint8)
    return tf.ensure_shape(crops, (None, height, width, 3))


_decode = tf.function(decode, reduce_retracing=True)
