"""Charts of the demonstration's page, as PNG bytes."""

import io

import numpy as np
from matplotlib.figure import Figure

_BLUE, _ORANGE = "#1f5fa8", "#c8501e"


def training_chart(log):
    """Loss and accuracy (of the logits without margin) against steps, from the lines of log.jsonl."""
    figure = Figure(figsize=(10, 3), dpi=110, layout="constrained")
    steps = [line["step"] for line in log]
    for axes, name, colour, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), (_BLUE, _ORANGE),
                                         ("loss (with margin)", "accuracy on training crops, without margin"),
                                         strict=True):
        axes.plot(steps, [line[name] for line in log], color=colour, linewidth=1.8)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
        axes.grid(color="#e5e5e5", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def score_chart(scores, same, threshold):
    """How the scores of genuine and impostor pairs lie, and the threshold."""
    figure = Figure(figsize=(7.2, 5.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    shown = np.clip(scores, -1, 1)   # pairs of unreadable photographs count as infinite
    bins = np.linspace(shown.min(), shown.max(), 41)
    for is_same, colour, label in ((False, _ORANGE, "impostor pairs"), (True, _BLUE, "genuine pairs")):
        axes.hist(shown[same == is_same], bins, color=colour, alpha=0.6, label=label)
    axes.axvline(threshold, color="#555555", linestyle="--", linewidth=1, label=f"threshold {threshold:.3f}")
    axes.set_xlabel("score: cosine of the two embeddings")
    axes.set_ylabel("pairs")
    axes.legend(fontsize=9, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def _png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
