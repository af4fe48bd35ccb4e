"""Prepares TensorFlow before any test imports it, and gives a small drawn dataset."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from base.environment import load_tensorflow

load_tensorflow()


@pytest.fixture
def folder(tmp_path):
    """Thirty crops of six people, in two shards."""
    from tests.datasets import make_folder  # imports TensorFlow
    return make_folder(tmp_path / "data")


@pytest.fixture
def heard_signals():
    """SIGINT is heard, and by children, also where the tests run in the background of a script, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def open_to_all():
    """A folder that everybody may go into, unlike pytest's own."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o755)
    shutil.rmtree(path)
