"""Contact sheets beside a dataset: crops at random, fallbacks, low confidences; to look at before training."""

from base.mix import generator
from tfrecords.sheet import contact_sheet, write_png

_MOST = 60


def write_sheets(folder, config):
    """Writes random.png, low_confidence.png and, where there are fallbacks, fallback.png into the dataset folder.

    Args:
        folder: the finished Folder.
        config: the AlignConfig; its seed draws the random crops.

    Returns:
        The paths written.
    """
    numbers = {key: number for number, key in enumerate(folder.keys)}
    rows = [row for row in folder.rows if row.key in numbers]
    draw = generator(config.seed, "contact sheet")
    some = [rows[place] for place in sorted(draw.permutation(len(rows))[:_MOST])]
    aligned = sorted((row for row in rows if row.status == "aligned"), key=lambda row: row.confidence)
    sheets = {
        "random": (some, lambda row: row.key.partition("/")[0]),
        "low_confidence": (aligned[:_MOST], lambda row: f"{row.confidence:.3f}"),
        "fallback": ([row for row in rows if row.status != "aligned"][:_MOST], lambda row: row.key),
    }
    written = []
    for name, (shown, caption) in sheets.items():
        if shown:
            path = folder.path / f"{name}.png"
            write_png(path, contact_sheet([folder.crop(numbers[row.key]) for row in shown], list(map(caption, shown))))
            written.append(path)
    return written
