"""`ops` is keras.ops, imported at first use: listing the losses and `train.py --help` answer without Keras."""


class _Lazy:
    def __getattr__(self, name):
        import keras

        return getattr(keras.ops, name)


ops = _Lazy()


def like(number, tensor):
    """A plain number in the type of `tensor`; Keras would round it to float32 first, in `cast` or beside a tensor."""
    return ops.convert_to_tensor(number, dtype=tensor.dtype)


def mean(values):
    """[N] -> []; Keras' own computes float64 in float32 on JAX."""
    return ops.sum(values) / ops.cast(ops.shape(values)[0], values.dtype)
