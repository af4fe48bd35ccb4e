"""What a person reads: results.json, the ROC, and a table that names its protocol with every number.

"Pooled" means over the pairs of all folds together (the word all-pairs is kept for every pair of a benchmark's crops).
"""

import math
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from base.files import atomic_json
from evaluation.plots import write_roc

_FEW = 10   # false accepts: below that a FAR is known to no better than about a third either way


def write_report(run, folder, result):
    """Writes RUN/evaluations/BENCHMARK-DIGEST/results.json and roc.png.

    Args:
        run: the run folder.
        folder: the benchmark's Folder.
        result: what `evaluation.benchmark.evaluate` returned.

    Returns:
        The folder written to.
    """
    path = Path(run) / "evaluations" / f"{folder.name}-{folder.digest[:8]}"
    path.mkdir(parents=True, exist_ok=True)
    atomic_json(path / "results.json", result)
    write_roc(path / "roc.png", {Path(run).resolve().name: result}, title=protocol(result))
    return path


def protocol(result):
    """Names benchmark and protocol in a line."""
    return (f"{result['benchmark']}: {result['num_pairs']:,} pairs ({result['num_genuine']:,} genuine, "
            f"{result['num_impostor']:,} impostor), {_folds(result)}")


def table(results):
    """Makes what rich prints for one benchmark: its protocol and a table, a column a run.

    Args:
        results: dict of run's name -> result, all on one benchmark.
    """
    first = next(iter(results.values()))
    grid = Table()
    grid.add_column("")
    for name in results:
        grid.add_column(name, justify="right")
    columns = [dict(_rows(result)) for result in results.values()]
    for label in dict.fromkeys(label for column in columns for label in column):
        grid.add_row(label, *(column.get(label, "") for column in columns))
    return Group(Text(protocol(first), style="bold"), grid)   # a table's own title would break at its width


def _rows(result):
    yield f"accuracy, {_folds(result)}", f"{result['accuracy']:.4f}"
    yield "  95 % interval by folds (t), the one to quote", _interval(result["interval95"])
    if result.get("interval95_persons"):
        yield "  95 % interval, person-robust, beside it", _interval(result["interval95_persons"])
    yield "  standard deviation of folds (ddof 0)", f"{result['std_ddof0']:.4f}"
    yield "  standard deviation of folds (ddof 1)", f"{result['std_ddof1']:.4f}"
    yield "  standard error of the mean", f"{result['standard_error']:.4f}"
    yield "accuracy, best threshold without folds", f"{result['best_threshold_no_folds']['accuracy']:.4f}"
    for name, third in zip(("lowest", "middle", "highest"), result.get("norm_thirds") or (), strict=False):
        if third["num_pairs"]:
            yield f"  {name} third by embedding norm, that threshold", f"{third['accuracy']:.4f}"
    for point in result["tar"]:
        yield from _tar_rows(point, "pooled")
    for name, label in (("eer", "EER, pooled"), ("auc", "AUC, pooled")):
        yield label, f"{result[name]:.4f}"
        if f"{name}_interval95" in result:
            yield f"  95 % interval of {label} (folds drawn anew)", _interval(result[f"{name}_interval95"])
    if result.get("d_prime") is not None:
        yield "d-prime, pooled (ddof 1)", f"{result['d_prime']:.3f}"
    if result["num_fallback"]:
        yield "photographs without a face, cropped at the centre", f"{result['num_fallback']:,}"
    if result["num_unreadable"]:
        yield "unreadable pairs, counted as wrong", f"{result['num_unreadable']:,}"
    if result.get("all_pairs"):
        yield from _all_pairs_rows(result["all_pairs"])


def _all_pairs_rows(found):
    yield "all-pairs: genuine, impostor pairs of all crops", f"{found['num_genuine']:,}, {found['num_impostor']:,}"
    if found["num_left_out"]:
        yield "  unreadable photographs left out of all-pairs", f"{found['num_left_out']:,}"
    for point in found["tar"]:
        yield from _tar_rows(point, "all-pairs")


def _tar_rows(point, among):
    """A FAR that the impostor pairs cannot show (k = 0) is never called by its number."""
    far, allowed = f"{point['far']:g}", point["allowed"]
    name = f"{f'FAR {far}' if allowed >= 1 else '0 false accepts'}, {among}"
    yield f"TAR at {name}", f"{point['tar']:.4f}"
    if "interval95" in point:
        yield f"  95 % interval of TAR at {name} (folds drawn anew)", _interval(point["interval95"])
    yield f"  threshold for {name}", "rejects all" if point["threshold"] is None else f"{point['threshold']:.4f}"
    if allowed >= 1:
        yield f"  impostors accepted of k = {allowed:,} allowed, {name}", f"{point['false_accepts']:,}"
    else:
        yield f"  (impostor pairs needed to show FAR {far}, {among})", f"{math.ceil(1 / point['far']):,}"
    if allowed < _FEW:
        yield f"  warning: too few false accepts to trust, FAR {far}, {among}", f"k = {allowed}"
    if point.get("in_folds"):
        found = point["in_folds"]
        yield (f"  mean of TAR at FAR {far} inside each fold, k = {_span(found['allowed'])}",
               f"{found['mean']:.4f} (deviation {found['std_ddof1']:.4f})")


def _interval(limits):
    return "{:.4f} to {:.4f}".format(*limits)


def _span(counts):
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _folds(result):
    return f"{result['num_folds']} folds, {result['fusion'].replace('_', '-')}"
