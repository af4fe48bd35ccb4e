"""Softmax with bias."""

import numpy as np

import losses
from tests.losses.cases import golden_cases

DEFAULTS = {"softmax": {}}
GOLDENS = {"softmax": lambda hyper: losses.Softmax()}
VARIANTS = [losses.Softmax(), losses.Softmax(sub_centers=2)]


def by_hand(loss, row):
    logits = [product + bias for product, bias in zip(row.products, row.bias, strict=True)]
    return row.cross_entropy(logits[row.label], logits)


def test_the_biases_gradients_sum_to_nothing():
    for case in golden_cases():
        if case.bias is not None and isinstance(case.loss, losses.Softmax):
            assert abs(np.sum(case.outputs["grad_bias"])) < 1e-12
