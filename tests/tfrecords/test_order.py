import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrecords.order import ORDERS, ClassBalanced, Shuffled, uniform

LABELS = np.repeat(np.arange(5), [1, 2, 3, 10, 4])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**40), st.integers(1, 50), st.sampled_from(sorted(ORDERS)))
def test_cutting_into_batches_changes_nothing(start, size, name):
    """So neither the number of replicas nor where a run was stopped decides what a step holds."""
    order = ORDERS[name](LABELS, 7)
    whole = order(np.arange(start, start + 3 * size))
    parts = np.concatenate([order(np.arange(start + k * size, start + (k + 1) * size)) for k in range(3)])
    np.testing.assert_array_equal(whole, parts)


def test_every_epoch_is_a_permutation_and_epochs_differ():
    order = Shuffled(LABELS, 3)
    epochs = order(np.arange(60)).reshape(3, 20)
    assert (np.sort(epochs) == np.arange(20)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_epoch_one_of_a_seed_is_not_epoch_zero_of_the_next():
    labels = np.zeros(50, int)
    assert not np.array_equal(Shuffled(labels, 42)(np.arange(50, 100)), Shuffled(labels, 43)(np.arange(50)))


def test_a_golden_order():
    """Changing this changes the runs of users: only with a note in the changelog."""
    assert Shuffled(np.zeros(10, int), 0)(np.arange(10)).tolist() == [0, 8, 7, 1, 6, 4, 2, 5, 3, 9]




def test_class_balanced():
    order = ClassBalanced(LABELS, 1)
    places = order(np.arange(5 * 20))
    rounds = LABELS[places].reshape(20, 5)
    assert (np.sort(rounds) == np.arange(5)).all()
    for label in range(5):   # an identity's crops are all met before one comes again
        mine = places[LABELS[places] == label]
        count = (label == LABELS).sum()
        for start in range(0, len(mine) - count + 1, count):
            assert len(set(mine[start:start + count])) == count


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_an_epoch_is_as_long_as_the_crops(name):
    assert ORDERS[name](LABELS, 0).epoch == 20


def test_uniform_is_uniform():
    values = uniform(1, "x", np.arange(100_000))
    assert abs(values.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.01
    assert abs(np.corrcoef(values, uniform(1, "y", np.arange(100_000)))[0, 1]) < 0.01
    assert values.min() >= 0
    assert values.max() < 1
