"""Says whether two photographs show the same person, by a run and the threshold that its card states.

python verify.py RUN a.jpg b.jpg [--far 0.01]
"""

import sys

from base import settings
from base.checks import require
from evaluation.config import VerificationConfig


@settings.command("verify.py")
def main(argv):
    """Returns the exit code: 0 answered (either way), 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(VerificationConfig, argv, "verify.py", leading="paths", describe=__doc__)
    require(len(config.paths) == 3, "paths", config.paths, "a run folder and two photographs before the options")
    run, *photographs = config.paths
    from evaluation.card import choose_threshold, read_card
    card = read_card(run)
    point = choose_threshold(card, run, far=config.far, benchmark=config.benchmark)
    from base.environment import load_tensorflow
    load_tensorflow()
    from evaluation.embed import embed_crops, fuse, load_model

    crops = aligned(photographs, point["recipe"])
    first, second = fuse(*embed_crops(load_model(run), crops, names=photographs), card["fusion"])
    score = float(first @ second)
    rate = f"FAR {point['far']:g}" if point["allowed"] else f"too few pairs to show a FAR of {point['far']:g}"
    among = "impostor pairs" + (" of all its crops" if point["among"] == "all-pairs" else "")
    print(f"score {score:.4f}, threshold {point['threshold']:.4f} ({rate}: on {point['benchmark']} it accepts "
          f"{point['false_accepts']:,} of {point['impostors']:,} {among})")
    print("same" if score >= point["threshold"] else "not the same")
    return 0


def aligned(paths, recipe):
    """Photographs -> crops, each uint8 RGB [H, W, 3], by the recipe of the benchmark's crops, through JPEG as well."""
    import tensorflow as tf

    from align import config, crops, detector, photographs, warp
    from tfrecords.template import get_template
    recipe = config.from_recipe(recipe)
    search, found = detector.Detector(recipe.detection), []
    for path in paths:
        try:
            image = photographs.decode(path, max_pixels=recipe.max_pixels)
        except photographs.UnreadablePhotograph as error:
            raise ValueError(f"{path} {error}; give another photograph") from error
        crop, _ = crops.align_one(image, search, get_template(recipe.template), recipe.choice)
        require(crop is not None, "photograph", path, "one with a face: none was found that fits the template")
        data = warp.jpeg(crop, recipe.quality)
        found.append(tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy())
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
