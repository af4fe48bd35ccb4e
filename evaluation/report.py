"""What a person reads on the screen and on pages: tables that name their protocol with every number.

"Pooled" means over the pairs of all folds together (the word all-pairs is kept for every pair of a benchmark's crops).
"""

import math

from rich.console import Group
from rich.table import Table
from rich.text import Text

_FEW = 10   # false accepts: below that a FAR is known to no better than about a third either way


def protocol(result):
    """Names benchmark and protocol in a line."""
    return (f"{result['benchmark']}: {result['num_pairs']:,} pairs ({result['num_genuine']:,} genuine, "
            f"{result['num_impostor']:,} impostor), {_folds(result)}")


def table(results):
    """Makes what rich prints for one benchmark: its protocol and a table, a column a run.

    Args:
        results: dict of run's name -> result, all on one benchmark.
    """
    title = Text(protocol(next(iter(results.values()))), style="bold")   # a table's own would break at its width
    return Group(title, _grid(result_columns(results)))


def comparison_table(comparison):
    """Makes what rich prints of `evaluation.compare.compare`: the best model against each other one."""
    parts = [Text(comparison_title(comparison), style="bold"), _grid(comparison_columns(comparison))]
    return Group(*parts, *([Text(comparison["note"])] if comparison["note"] else []))


def result_columns(results):
    """Dict of name -> result, to a dict of name -> {label: value}, all text; a label after blanks is of that above."""
    return {name: dict(_rows(result)) for name, result in results.items()}


def comparison_title(comparison):
    """Names benchmark and best model in a line."""
    return f"{comparison['benchmark']}: {comparison['best']} (highest accuracy) minus the others, on the same pairs"


def comparison_columns(comparison):
    """Like `result_columns`, of what `evaluation.compare.compare` returned: a column a model but the best."""
    best = comparison["best"]
    return {pair["second"] if pair["first"] == best else pair["first"]: dict(_test_rows(comparison, pair))
            for pair in comparison["pairs"] if best in (pair["first"], pair["second"])}


def labels(columns):
    """Returns the labels of all columns, each once, in order."""
    return list(dict.fromkeys(label for column in columns.values() for label in column))


def _grid(columns):
    grid = Table()
    grid.add_column("")
    for name in columns:
        # Text: a name in brackets is no markup. Folded: paths that are cut off would look the same.
        grid.add_column(Text(name), justify="right", overflow="fold")
    for label in labels(columns):
        grid.add_row(label, *(column.get(label, "") for column in columns.values()))
    return grid


def _test_rows(comparison, pair):
    """The signs are those of best - other, whichever of the two stands first."""
    sign = 1 if pair["first"] == comparison["best"] else -1
    counts, p, holm = pair["mcnemar"], pair["p_sign_flip"], pair["p_holm"]
    yield "difference of accuracy", f"{sign * pair['accuracy_difference']:+.4f}"
    yield "  95 % interval (drawn folds)", _signed_interval(pair["interval95"], sign)
    if p is not None:
        yield f"  p, sign-flip over {comparison['num_folds']} folds", f"{p:.2g}"
        if comparison["num_tests"] > 1:
            yield f"  p, Holm for {comparison['num_tests']} pairs of models", f"{holm:.2g}"
        yield f"  different at {comparison['level']:g}?", "yes" if holm < comparison["level"] else "not shown"
    only = (counts["only_first"], counts["only_second"])[::sign]
    yield "pairs right alone: best, other", "{:,}, {:,}".format(*only)
    yield "  p, McNemar (as if pairs were independent)", f"{counts['p']:.2g}"
    for point in pair["tar"]:
        yield f"difference of TAR at FAR {point['far']:g}", f"{sign * point['difference']:+.4f}"
        yield f"  95 % interval (drawn folds), FAR {point['far']:g}", _signed_interval(point["interval95"], sign)


def _signed_interval(interval, sign):
    low, high = sorted(sign * value for value in interval)
    return f"{low:+.4f} to {high:+.4f}"


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
    if "overlap" in result:
        number = result["overlap"]
        yield ("people of the benchmark that were trained on, by name",
               "unknown" if number is None else f"{number:,} of {result['num_people']:,}")
    for fault in result.get("faults", ()):
        yield f"warning: {fault}", "yes"


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
