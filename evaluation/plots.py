"""The ROC as a picture."""

import numpy as np
from matplotlib.figure import Figure

from base.files import atomic_write

_COLOURS = ("#1f5fa8", "#c8501e", "#2f7d4f", "#7b4ea3", "#8a6d1b")


def write_roc(path, results, *, title):
    """Draws TAR against FAR, with a logarithmic FAR axis, as PNG; whole or not at all.

    Args:
        path: file to write.
        results: dict of label -> what `evaluation.benchmark.evaluate` returned, all on one benchmark.
        title: names benchmark and protocol.
    """
    figure = Figure(figsize=(7.2, 5.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    impostors = max(result["num_impostor"] for result in results.values())
    left = 0.4 / impostors
    for colour, (label, result) in zip(_repeat(_COLOURS), results.items(), strict=False):
        _curve(axes, result, label, colour=colour, left=left)
        if len(results) == 1:   # the words of several curves would lie on each other
            _name_points(axes, result, colour=colour)
    axes.axvline(1 / impostors, color="#555555", linestyle="--", linewidth=1,
                 label=f"resolvable FAR: 1 of {impostors:,} impostor pairs")
    axes.set_xscale("log")
    axes.set_xlim(left, 1)
    axes.set_ylim(0, 1.01)
    axes.set_yticks(np.linspace(0, 1, 11))
    axes.set_xlabel("FAR: share of impostor pairs accepted (log)")
    axes.set_ylabel("TAR: share of genuine pairs accepted")
    axes.set_title(title, fontsize=10)
    axes.grid(which="major", color="#dddddd", linewidth=0.8)
    axes.grid(which="minor", axis="x", color="#eeeeee", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", fontsize=8, frameon=True, framealpha=0.9)
    with atomic_write(path) as file:
        figure.savefig(file, format="png")


def _curve(axes, result, label, *, colour, left):
    impostors, genuine = result["num_impostor"], result["num_genuine"]
    far = np.array(result["roc"]["false_accepts"]) / impostors
    tar = np.array(result["roc"]["true_accepts"]) / genuine
    # No false accept at all has no place on a logarithmic axis: it is the level left of the first one.
    far = np.maximum(far, left)
    axes.step(far, tar, where="post", color=colour, linewidth=1.8,
              label=f"{label}: AUC {result['auc']:.4f}, EER {result['eer']:.4f}")
    points = _shown(result)
    axes.plot([point["far"] for point in points], [point["tar"] for point in points], "o", color=colour, markersize=5)


def _name_points(axes, result, *, colour):
    for point in _shown(result):
        axes.annotate(f"TAR {point['tar']:.4f} at FAR {point['far']:g}\n{point['false_accepts']:,} of "
                      f"{point['num_impostor']:,} impostors accepted", (point["far"], point["tar"]), xytext=(6, -6),
                      textcoords="offset points", va="top", fontsize=8, color=colour)


def _shown(result):
    """The points whose FAR the impostor pairs can show."""
    return [point for point in result["tar"] if point["allowed"] >= 1]


def _repeat(values):
    while True:
        yield from values
