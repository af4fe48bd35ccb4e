"""Run in a process of its own with KERAS_BACKEND=jax and JAX_ENABLE_X64=1: goldens, fit, traces and dropout there."""

import hashlib

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import losses
from losses.draws import normal
from models.blocks import Dropout, split
from tests.losses.cases import arrays, check_golden, golden_cases, per_sample


def check_goldens():
    """In float64, and every fourth case in float32 as well, since each takes a tenth of a second here."""
    count = 0
    for place, case in enumerate(golden_cases()):
        for dtype in ("float64",) if place % 4 else ("float32", "float64"):
            def mean(named, case=case):
                values, state = per_sample(case, named)
                return values.mean(), (values, state)

            (_, (values, state)), found = jax.value_and_grad(mean, has_aux=True)(arrays(case, dtype))
            check_golden(case, values, {f"grad_{name}": slopes for name, slopes in found.items()}, state, dtype)
            count += 1
    return count


def check_pairs():
    count = 0
    for case in golden_cases("PAIR_GOLDENS"):
        labels = jnp.array(case.labels, "int32")
        for dtype in ("float32", "float64"):
            value, slopes = jax.value_and_grad(lambda x, case=case, labels=labels: case.loss(x, labels))(
                case.embeddings.astype(dtype))
            check_golden(case, value, {"grad_embeddings": slopes}, {}, dtype)
            count += 1
    return count


def check_draws():
    from tests.losses.test_contract import DRAWS

    numbers = np.stack([np.arange(5), [0, 0, 1, -1, 7]], axis=1).astype(np.int32)
    np.testing.assert_allclose(normal(jnp.array(numbers), 3, "a test"), DRAWS, rtol=1e-5)


def check_fit():
    from tests.losses.test_head import fit_two_classes

    assert fit_two_classes()[-1] < 0.1


def check_jit():
    head = losses.Head(losses.AMSoftmax(), 4)
    head.build((None, 8))
    embeddings = np.ones((3, 8), np.float32)
    found = jax.jit(head.rows)(embeddings, np.array([0, 4, -1]))
    assert np.isnan(found.loss).tolist() == [False, True, True]
    with pytest.raises(ValueError, match=r"label is 4, expected in 0\.\.3"):
        head.rows(embeddings, np.array([0, 4, -1]))


def check_dropout():
    from tests.models.test_dropout import MASK_DIGEST, RUNNING

    layer = Dropout(0.3, seed=7)
    layer.build((None, 64))
    mask = np.asarray(jax.jit(layer.mask)(split(RUNNING)))
    assert hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()[:16] == MASK_DIGEST
    dropped = jax.jit(lambda x, g: layer(x, g, training=True))(np.ones((len(RUNNING), 64), np.float32), split(RUNNING))
    np.testing.assert_array_equal(np.asarray(dropped) > 0, mask)


if __name__ == "__main__":
    if keras.backend.backend() != "jax":
        raise SystemExit("KERAS_BACKEND must be jax")
    golden = check_goldens() + check_pairs()
    check_fit()
    check_jit()
    check_dropout()
    check_draws()
    print(f"{golden} golden cases, fit, jit, dropout, draws: equal")
