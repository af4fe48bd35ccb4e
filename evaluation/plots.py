"""Charts of an evaluation, as PNG bytes: ROC, DET, scores of pairs, error rates against the threshold."""

import io
import itertools
import textwrap

import numpy as np
from matplotlib.figure import Figure
from scipy.special import ndtri

BLUE, ORANGE = "#1f5fa8", "#c8501e"
_COLOURS = (BLUE, ORANGE, "#2f7d4f", "#7b4ea3", "#8a6d1b")
_GREY, _LONGEST = "#555555", 40   # letters of a run's name that a legend has room for
_RATES = (0.0001, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)   # marks of the DET's axes


def roc_chart(results, *, title):
    """Draws TAR against FAR, with a logarithmic FAR axis.

    Args:
        results: dict of label -> what `evaluation.benchmark.evaluate` returned, all on one benchmark.
        title: names benchmark and protocol.
    """
    figure, axes = _axes(title)
    impostors = max(result["num_impostor"] for result in results.values())
    left = 0.4 / impostors
    for (style, colour), (label, result) in zip(_styles(), results.items(), strict=False):
        far, tar = _rates(result)
        # No false accept at all has no place on a logarithmic axis: it is the level left of the first one.
        axes.step(np.maximum(far, left), tar, where="post", color=colour, linestyle=style, linewidth=1.8,
                  label=f"{_short(label)}: AUC {result['auc']:.4f}, EER {result['eer']:.4f}")
        points = _shown(result)
        axes.plot([point["far"] for point in points], [point["tar"] for point in points], "o", color=colour,
                  markersize=5, label=_words(points) if len(results) == 1 else None)
    axes.axvline(1 / impostors, color=_GREY, linestyle="--", linewidth=1,
                 label=f"resolvable FAR: 1 of {impostors:,} impostor pairs")
    axes.set_xscale("log")
    axes.set_xlim(left, 1)
    axes.set_ylim(0, 1.01)
    axes.set_yticks(np.linspace(0, 1, 11))
    axes.set_xlabel("FAR: share of impostor pairs accepted (log)")
    axes.set_ylabel("TAR: share of genuine pairs accepted")
    axes.grid(which="minor", axis="x", color="#eeeeee", linewidth=0.5)
    axes.legend(loc="best", fontsize=8.5, framealpha=0.9)
    return png(figure)


def det_chart(results, *, title):
    """Draws FRR against FAR, both on axes of normal deviates: normal scores of equal variance give a straight line.

    Source: Martin et al., The DET curve in assessment of detection task performance, Eurospeech 1997.

    Args:
        results: as in `roc_chart`.
        title: names benchmark and protocol.
    """
    figure, axes = _axes(title)
    first = [0.4 / max(result[kind] for result in results.values()) for kind in ("num_impostor", "num_genuine")]
    for (style, colour), (label, result) in zip(_styles(), results.items(), strict=False):
        far, tar = _rates(result)
        # Rates of 0 and 1 are infinitely far away: they are drawn at the margin.
        x, y = (ndtri(np.clip(rate, least, 0.9)) for rate, least in zip((far, 1 - tar), first, strict=True))
        axes.step(x, y, where="post", color=colour, linestyle=style, linewidth=1.8,
                  label=f"{_short(label)}: EER {result['eer']:.4f}")
    ends = [ndtri(least) for least in first]
    axes.plot([-9, 9], [-9, 9], color=_GREY, linestyle=":", linewidth=1, label="FAR = FRR")
    for least, place, count, kind in zip(ends, (axes.set_xlim, axes.set_ylim), first, ("x", "y"), strict=True):
        place(least - 0.05, ndtri(0.9))   # a curve at the margin is not to lie under the axis
        marks = [rate for rate in _RATES if rate > count]
        getattr(axes, f"set_{kind}ticks")(ndtri(marks), [f"{rate * 100:g} %" for rate in marks])
    axes.set_xlabel("FAR: share of impostor pairs accepted (normal deviate)")
    axes.set_ylabel("FRR: share of genuine pairs rejected (normal deviate)")
    axes.legend(loc="best", fontsize=8.5, framealpha=0.9)
    return png(figure)


def score_chart(scores, same, threshold, *, title):
    """Draws how the scores of genuine and impostor pairs lie, each as shares of its kind, and a threshold.

    Args:
        scores: float [P]; infinite ones, of unreadable photographs, are left out.
        same: bool [P].
        threshold: of the decision, or None where nothing is accepted.
        title: names benchmark and protocol.
    """
    figure, axes = _axes(title)
    seen = np.isfinite(scores)
    shown = scores[seen] if seen.any() else np.zeros(1)
    low, high = shown.min(), shown.max()
    bins = np.linspace(low, high if high > low else low + 1e-3, 61)   # collapsed scores are one bar
    for kind, colour, label in ((False, ORANGE, "impostor"), (True, BLUE, "genuine")):
        part = scores[seen & (same == kind)]
        axes.hist(part, bins, weights=np.full(len(part), 100 / max(len(part), 1)), color=colour, alpha=0.55,
                  label=f"{len(part):,} {label} pairs")
    if threshold is not None:
        axes.axvline(threshold, color=_GREY, linestyle="--", linewidth=1,
                     label=f"threshold {threshold:.3f} (best)")
    axes.set_xlabel("score: cosine of the two embeddings")
    axes.set_ylabel("share of the pairs of its kind, %")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    return png(figure)


def threshold_chart(scores, same, points, *, title):
    """Draws FAR and FRR against the threshold, on a logarithmic axis.

    Args:
        scores: float [P]; infinite ones count at every threshold.
        same: bool [P].
        points: the entries `tar` of a result, whose thresholds are marked where the pairs can show their FAR.
        title: names benchmark and protocol.
    """
    figure, axes = _axes(title)
    finite = scores[np.isfinite(scores)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    margin = 0.01 * (high - low) or 1e-3
    thresholds = np.linspace(low - margin, high + margin, 1001)
    least = 0.4 / max(same.sum(), (~same).sum())
    for kind, colour, label in ((False, ORANGE, "FAR: share of impostor pairs accepted"),
                                (True, BLUE, "FRR: share of genuine pairs rejected")):
        part = np.sort(scores[same == kind])
        rejected = np.searchsorted(part, thresholds) / len(part)
        rate = rejected if kind else 1 - rejected
        axes.step(thresholds, np.maximum(rate, least), where="mid", color=colour, linewidth=1.8, label=label)
    for point, style in zip([point for point in points if point["allowed"] >= 1 and point["threshold"] is not None],
                            itertools.cycle(("--", ":", "-.")), strict=False):
        axes.axvline(point["threshold"], color=_GREY, linestyle=style, linewidth=1,
                     label=f"threshold {point['threshold']:.3f} for FAR {point['far']:g}")
    axes.set_yscale("log")
    axes.set_ylim(0.8 * least, 1.2)
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_yticks([rate for rate in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1) if rate > least])
    axes.set_xlabel("threshold: a pair is accepted where its score is not below it")
    axes.set_ylabel("error rate (log)")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8.5, frameon=False)
    return png(figure)


def png(figure):
    """A Figure -> PNG bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _axes(title):
    figure = Figure(figsize=(6.4, 4.8), dpi=140, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(textwrap.fill(title, 90), fontsize=9.5)
    axes.grid(which="major", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _styles():
    """Yields (line style, colour): solid ones first."""
    return itertools.cycle(itertools.product(("-", "--", ":"), _COLOURS))


def _rates(result):
    """(FAR, TAR): float64 [S] each, the points where the curve rises."""
    return (np.array(result["roc"]["false_accepts"]) / result["num_impostor"],
            np.array(result["roc"]["true_accepts"]) / result["num_genuine"])


def _words(points):
    """A legend's text: words beside the points of a steep or level curve would lie on each other."""
    return "\n".join(f"TAR {point['tar']:.4f} at FAR {point['far']:g}: {point['false_accepts']:,} of "
                     f"{point['num_impostor']:,} impostors accepted" for point in points) or None


def _shown(result):
    """The points whose FAR the impostor pairs can show."""
    return [point for point in result["tar"] if point["allowed"] >= 1]


def _short(label):
    return label if len(label) <= _LONGEST else f"…{label[1 - _LONGEST:]}"
