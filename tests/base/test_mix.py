import numpy as np

from base.mix import generator, mix


def test_values_are_fixed():
    """Runs of users depend on these numbers: they may change only with a new format of everything seeded."""
    assert mix(0) == 0x02DC7B0BBE0FD790
    assert mix(1, "order", 2) == 0xE38B305E7C1A1A72


def test_parts_do_not_run_together():
    assert len({mix("a", 1), mix("a1"), mix("a", "1"), mix(1, "a"), mix("", "a", 1)}) == 5


def test_epoch_one_of_a_seed_is_not_epoch_zero_of_the_next():
    assert mix(42, "order", 1) != mix(43, "order", 0)


def test_generator_depends_on_its_parts_alone():
    first, again, other = (generator(3, "x").random(4), generator(3, "x").random(4), generator(4, "x").random(4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
