"""What a person reads about media sets: results.json and a table.

A FAR that the impostor pairs cannot show is not there; "0 false accepts" stands for the strictest threshold.
"""

from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from base.files import atomic_json
from evaluation.mediasets import WEIGHTINGS


def write_results(run, result):
    """Writes RUN/evaluations/sets-PROTOCOL-DIGEST/results.json; returns its folder.

    Args:
        run: the run folder.
        result: what `evaluation.mediasets.evaluate_protocol` returned.
    """
    path = Path(run) / "evaluations" / f"sets-{result['protocol']}-{result['digest'][:8]}"
    path.mkdir(parents=True, exist_ok=True)
    atomic_json(path / "results.json", {**result, "mean_of_splits": mean_of_splits(result)})
    return path


def mean_of_splits(result):
    """Means over splits: {weighting: {what: {mean, std_ddof1, num_splits}}}, of what all splits have; {} for one split.

    Args:
        result: what `evaluation.mediasets.evaluate_protocol` returned.
    """
    if len(result["splits"]) < 2:
        return {}
    means = {}
    for weighting in WEIGHTINGS:
        columns = [dict(_numbers(split[weighting])) for split in result["splits"]]
        shared = [what for what in columns[0] if all(what in column for column in columns)]
        values = {what: [column[what] for column in columns] for what in shared}
        means[weighting] = {what: {"mean": float(np.mean(found)), "std_ddof1": float(np.std(found, ddof=1)),
                                   "num_splits": len(found)} for what, found in values.items()}
    return means


def table(results):
    """Makes what rich prints: the protocol, what is counted and what is missing, and a column a run and weighting.

    Args:
        results: dict of run folder -> result, all of one protocol and folder.
    """
    names = [Path(run).resolve().name for run in results]
    names = names if len(set(names)) == len(names) else list(results)
    grid, columns = Table(), []
    grid.add_column("")
    for name, result in zip(names, results.values(), strict=True):
        for weighting in WEIGHTINGS:
            grid.add_column(f"{name}\n{weighting.replace('_', '-')}", justify="right", no_wrap=True)
            columns.append(dict(_cells(result, weighting)))
    for label in dict.fromkeys(label for column in columns for label in column):
        grid.add_row(label, *(column.get(label, "") for column in columns))
    first = next(iter(results.values()))
    return Group(Text(_title(first), style="bold"), *(Text(line) for line in _notes(first)), grid)


def _title(result):
    splits = len(result["splits"])
    return (f"{result['protocol']}: {result['num_sets']:,} media sets of {result['num_media_files']:,} files"
            f"{f' in {splits} splits' if splits > 1 else ''}, {result['fusion'].replace('_', '-')}")


def _notes(result):
    """What a reader must know before believing the numbers."""
    if len(result["splits"]) > 1:
        yield "mean ± standard deviation (ddof 1) over splits; the counts are those of the first split"
    first = result["splits"][0][WEIGHTINGS[0]]
    check = first["verification"]
    if check:
        yield (f"pairs of sets: {check['num_pairs']:,} ({check['num_genuine']:,} genuine, {check['num_impostor']:,} "
               f"impostor)")
    for search in first["searches"]:
        yield (f"search {search['name']}: {search['num_gallery']:,} sets, {search['num_mated']:,} mated and "
               f"{search['num_nonmated']:,} other probes")
    if result["num_media_without_crop"]:
        yield (f"{result['num_media_without_crop']:,} media files without a crop (no face, or unreadable) are left out "
               f"of their sets; sets without any crop, which count as wrong: {result['num_sets_without_crop']:,}")
    checks = [split[WEIGHTINGS[0]]["verification"] for split in result["splits"]]
    repeated = sum(check["num_repeated"] for check in checks if check)
    if repeated:
        yield f"pairs that are listed once more, and count as often: {repeated:,}"


def _cells(result, weighting):
    """Yields (label, text) down one column."""
    means = mean_of_splits(result)
    if means:
        for what, found in means[weighting].items():
            yield what, f"{found['mean']:.4f} ± {found['std_ddof1']:.4f}"
        return
    found = result["splits"][0][weighting]
    counts = {_fpir(search, point): point["allowed"] for search in found["searches"] for point in search["tpir"]}
    if found["verification"]:
        counts |= {_far(point): point["allowed"] for point in found["verification"]["tar"]}
    for what, value in _numbers(found):
        k = counts.get(what)
        yield what + (f", k = {k:,}" if k else ""), f"{value:.4f}"


def _numbers(found):
    """Yields (what, share) for one weighting of one split."""
    check = found["verification"]
    if check:
        if "accuracy" in check:
            yield f"accuracy, {check['num_folds']} folds", check["accuracy"]
            yield "  standard error of the mean", check["standard_error"]
        for point in check["tar"]:
            yield _far(point), point["tar"]
    for search in found["searches"]:
        for rank, share in search["rank"].items():
            yield f"{search['name']}: rank {rank}", share
        for point in search["tpir"]:
            yield _fpir(search, point), point["tpir"]


def _far(point):
    return f"TAR at FAR {point['far']:g}" if point["far"] else "TAR at 0 false accepts"


def _fpir(search, point):
    return f"{search['name']}: TPIR at " + (f"FPIR {point['fpir']:g}" if point["fpir"] else "0 false alarms")
