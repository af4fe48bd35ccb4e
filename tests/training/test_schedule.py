import itertools

import pytest

from training.config import Loss, Schedule
from training.schedule import learning_rate, margin_share, num_steps


def test_cosine_with_warmup():
    schedule = Schedule(kind="cosine", rate=0.2, warmup_steps=4)
    rates = [learning_rate(schedule, step, num_steps=104) for step in range(104)]
    assert rates[:4] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert rates[4] == 0.2
    assert rates[54] == pytest.approx(0.1)
    assert rates[103] == pytest.approx(0.2 * 0.5 * (1 - 0.99950656), rel=1e-3)
    assert all(a > b for a, b in itertools.pairwise(rates[4:]))


def test_steps():
    schedule = Schedule(kind="step", rate=0.1, drops=[16, 24, 28], factor=0.1)
    rates = [learning_rate(schedule, step, num_steps=30) for step in (0, 15, 16, 23, 24, 28)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.0001])


def test_constant():
    assert learning_rate(Schedule(kind="constant", rate=0.3), 7, num_steps=9) == 0.3


def test_margin_ramp():
    loss = Loss(ramp_from=0.1, ramp_to=0.3)
    assert [margin_share(loss, step, num_steps=100) for step in (0, 10, 20, 30, 99)] == [0, 0, 0.5, 1, 1]
    assert margin_share(Loss(), 0, num_steps=100) == 1


def test_length():
    assert num_steps(Schedule(steps=7), crops_an_epoch=100, batch_size=10) == 7
    assert num_steps(Schedule(epochs=2.5), crops_an_epoch=100, batch_size=10) == 25


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Schedule(kind="linear"), "schedule.kind is 'linear', expected one of cosine, step, constant"),
    (lambda: Schedule(rate=0), "schedule.rate is 0, expected a finite number above 0"),
    (lambda: Schedule(epochs=float("inf")), "schedule.epochs is inf, expected above 0, below 1,000,000"),
    (lambda: Schedule(drops=[3, 1]), "expected rising steps"),
    (lambda: Loss(ramp_from=0.5, ramp_to=0.2), "rising shares"),
])
def test_wrong_settings(make, words):
    with pytest.raises(ValueError, match=words):
        make()
