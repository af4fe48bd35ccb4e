"""The run folder: which settings and data a run belongs to, written down and compared when it goes on."""

import dataclasses
import hashlib
import json
from pathlib import Path

import yaml

from base.checks import differences
from base.files import atomic_text
from training.checkpoint import whole_checkpoints

# Settings that do not decide the result: paths, logging, placement.
_FREE = ("run", "data.train", "data.benchmarks", "data.left_out", "engine.devices", "engine.threads",
         "engine.jit_compile", "engine.deterministic", "intervals.log", "intervals.checkpoint", "intervals.evaluate",
         "intervals.keep", "intervals.best")


def open_run(config):
    """Makes the run folder, or checks that it is of this configuration.

    A folder without a whole checkpoint holds nothing that is gone on with: its configuration is replaced, so that a
    mistyped setting costs no new folder.

    Returns:
        A digest over the settings that decide the result.

    Raises:
        ValueError: the folder holds a run with other settings (each named), or something that is no run.
    """
    run = Path(config.run)
    path = run / "config.yaml"
    now = dataclasses.asdict(config)
    if path.is_file():
        if any(whole_checkpoints(run)):
            _compare(run, _read(path), now)
    elif run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise ValueError(f"{run} exists and is no run folder (it has no config.yaml); name a new one with --run")
    run.mkdir(parents=True, exist_ok=True)
    atomic_text(path, yaml.safe_dump(now, sort_keys=False, allow_unicode=True))
    return _digest(_deciding(now))


def data_digest(folder, selection):
    """Names the training data: the folder's digest with the identities kept of it."""
    return hashlib.sha256(json.dumps([folder.digest, selection.classes]).encode()).hexdigest()


def _read(path):
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        settings = error
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is no longer the YAML that this program wrote, so the run's settings are lost; "
                         f"restore the file, or take a new run folder")
    return settings


def _compare(run, before, now):
    other = differences(_deciding(before), _deciding(now))
    if other:
        raise ValueError(f"{run} is a run of another configuration: {other}. Go on with the settings of "
                         f"{run / 'config.yaml'}, or start a new run from its model: --network.init_from {run}")


def _deciding(settings):
    return {name: value for name, value in _flat(settings).items() if name not in _FREE}


def _flat(settings, prefix=""):
    flat = {}
    for name, value in (settings or {}).items():
        if isinstance(value, dict) and name != "params":
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _digest(settings):
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
