"""The run's card: what a later tool must know about a run, one JSON file beside its model."""

import os
from pathlib import Path

from base.checks import require, require_folder
from base.files import atomic_json, read_json, sha256

FORMAT = 1
_NEEDED = ("template", "embedding_size", "fusion", "thresholds", "results")


def read_card(run):
    """Returns the card of a run folder, a dict.

    Raises:
        FileNotFoundError: no such folder, or no card in it.
        ValueError: a card of another format, or one that lacks what every tool reads.
    """
    path = Path(run) / "card.json"
    require_folder(run, "run folder", "make one by: python train.py PRESET.yaml --data.train DATA --run RUN")
    if (Path(run) / "meta.json").is_file():
        raise ValueError(f"{run} is a dataset folder, expected a run folder, as train.py makes it")
    if not path.is_file():
        raise FileNotFoundError(f"{run} has no card.json, so it is no run, or one before its first checkpoint; "
                                f"call the train.py command again, it goes on")
    card = read_json(path)
    found = card.get("format") if isinstance(card, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path} has format {found!r}, this program reads {FORMAT}; use the version of the program "
                         f"that made the run, or train again")
    missing = [name for name in _NEEDED if name not in card]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}; call the train.py command again, it writes the card anew")
    return card


def read_cards(runs):
    """Returns a dict of run -> card for run folders that are going to be written to; else as `read_card`."""
    for run in runs:
        require(os.access(run, os.W_OK) or not os.path.isdir(run), "run", run, "a folder that you may write to")
    return {run: read_card(run) for run in runs}


def write_card(run, card):
    """Writes the whole card, atomically; its `format` must be FORMAT."""
    if card.get("format") != FORMAT:
        raise ValueError(f"card has format {card.get('format')!r}, expected {FORMAT}")
    atomic_json(Path(run) / "card.json", card)


def update_card(run, result):
    """Replaces in the card, by the benchmark's digest, thresholds and results; everything else stays.

    Args:
        run: the run folder.
        result: what `evaluation.benchmark.evaluate` returned. Where it has `model_sha256`, that must still be the
            hash of model.keras; else the present hash is written down, so that no threshold serves another model.

    Raises:
        ValueError: model.keras was written anew since.
    """
    card = read_card(run)
    now = model_hash(run)
    if result.get("model_sha256", now) != now:
        raise ValueError(f"{Path(run) / 'model.keras'} was written anew during the evaluation, so its thresholds would "
                         f"belong to another model; evaluate again when training has ended")
    digest = result["digest"]
    is_all = bool(result.get("all_pairs"))   # they carry lower FARs than the pairs of the protocol
    card["thresholds"][digest] = [
        {"far": point["far"], "threshold": point["threshold"], "tar": point["tar"], "allowed": point["allowed"],
         "false_accepts": point["false_accepts"], "impostors": point["num_impostor"],
         "among": "all-pairs" if is_all else "pairs"}
        for point in (result["all_pairs"] if is_all else result)["tar"]]
    card["results"][digest] = {
        **{name: value for name, value in result.items() if name not in ("roc", "tar")},
        "tar": {f"{point['far']:g}": point["tar"] for point in result["tar"]},
        "model_sha256": now,
    }
    write_card(run, card)


def model_hash(run):
    """Returns the hex sha256 of the run's model.keras."""
    path = Path(run) / "model.keras"
    if not path.is_file():
        raise FileNotFoundError(f"{run} has no model.keras; call the train.py command again, it goes on and writes it")
    return sha256(path)


def choose_threshold(card, run, *, far, benchmark=""):
    """Chooses the threshold that the card states for a FAR.

    Args:
        card: what `read_card` returned.
        run: its run folder.
        far: one of the FARs that were evaluated.
        benchmark: name of the benchmark; "" takes the one with the most impostor pairs.

    Returns:
        A dict: far, threshold, tar, allowed, false_accepts, impostors, benchmark, model_sha256, recipe (the
        settings that the benchmark's crops were made with).

    Raises:
        ValueError: no threshold was measured, none of that benchmark, none at this FAR, or with another model.keras.
    """
    known = [{"among": "pairs", **point, "benchmark": card["results"][digest]["benchmark"],
              "model_sha256": card["results"][digest]["model_sha256"],
              "recipe": card["results"][digest].get("recipe", {})}
             for digest, points in card["thresholds"].items() for point in points]
    if not known:
        raise ValueError(f"{run} has no threshold in its card yet; measure one by: python evaluate.py {run} "
                         f"--benchmarks DATA")
    named = [point for point in known if benchmark in ("", point["benchmark"])]
    if not named:
        names = sorted({point["benchmark"] for point in known})
        raise ValueError(f"{run} has no threshold of benchmark {benchmark!r}; it has those of {', '.join(names)}")
    fitting = [point for point in named if point["far"] == far and point["threshold"] is not None]
    if not fitting:
        fars = sorted({point["far"] for point in named if point["threshold"] is not None})
        raise ValueError(f"{run} has no threshold for a FAR of {far:g}; it has those for "
                         f"{', '.join(f'{value:g}' for value in fars) or 'none'}. More by: python evaluate.py {run} "
                         f"--benchmarks DATA --fars {far:g}")
    chosen = max(fitting, key=lambda point: point["impostors"])
    if chosen["model_sha256"] != model_hash(run):
        raise ValueError(f"the thresholds in the card of {run} were measured with another model.keras; measure them "
                         f"anew by: python evaluate.py {run} --benchmarks DATA")
    return chosen
