"""Lengths and unit vectors, with gradient 0 where there is no direction; half precision is raised first."""

from losses.backend import ops

LEAST_NORM = 1e-12
"""Vectors shorter than this have the unit vector 0, with gradient 0."""


def at_least_float32(x):
    """Raises half precision to float32; float64 stays."""
    x = ops.convert_to_tensor(x)
    return ops.cast(x, wide_type(x.dtype))


def wide_type(dtype):
    """The wider of float32 and `dtype` (Keras' own rule for it has no float64 on JAX)."""
    import keras

    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"


def norms(x):
    """[N, D] -> [N, 1], lengths of the rows; 0 with gradient 0 below LEAST_NORM.

    NaN stays NaN. So does a length whose square overflows (1.8e19 in float32): divided by it, a row would be 0, and
    nobody would see it.
    """
    squares = ops.sum(x * x, axis=1, keepdims=True)
    is_zero = squares < LEAST_NORM**2
    lengths = ops.sqrt(ops.where(is_zero, 1.0, squares))
    return ops.where(is_zero, 0.0, ops.where(ops.isinf(squares), float("nan"), lengths))


def unit(x):
    """[N, D] -> [N, D], rows divided by their lengths; 0 with gradient 0 where a row is shorter than LEAST_NORM."""
    length = norms(x)
    is_zero = ops.equal(length, 0.0)
    return ops.where(is_zero, 0.0, x / ops.where(is_zero, 1.0, length))
