"""Prepares TensorFlow before any test imports it, and gives a small drawn dataset."""

import pytest

from base.environment import load_tensorflow

load_tensorflow()


@pytest.fixture
def folder(tmp_path):
    """Thirty crops of six people, in two shards."""
    from tests.datasets import make_folder  # imports TensorFlow
    return make_folder(tmp_path / "data")
