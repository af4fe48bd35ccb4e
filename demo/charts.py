"""Charts of the demonstration's page, as PNG bytes."""

from matplotlib.figure import Figure

from evaluation.plots import BLUE, ORANGE, png


def training_chart(log):
    """Loss and accuracy (of the logits without margin) against steps, from the lines of log.jsonl."""
    figure = Figure(figsize=(10, 3), dpi=110, layout="constrained")
    steps = [line["step"] for line in log]
    for axes, name, colour, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), (BLUE, ORANGE),
                                         ("loss (with margin)", "accuracy on training crops, without margin"),
                                         strict=True):
        axes.plot(steps, [line[name] for line in log], color=colour, linewidth=1.8)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
        axes.grid(color="#e5e5e5", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    return png(figure)
