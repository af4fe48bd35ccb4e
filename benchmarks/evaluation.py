"""Time of all metrics, and how often the quoted interval covers the truth. Last line: one JSON object.

python benchmarks/evaluation.py --pairs PAIRS [--trials 3000] [--rounds 5] [--benchmark DATA]

With an aligned benchmark folder DATA, also the time of a whole evaluation with the full-width ResFace20 (first weights)
against bare forward passes of the same crops and their mirror images, both after tracing: `over_forward`.

PAIRS is a pair list with ten folds such as LFW's pairs.txt; of it only who is compared with whom is taken. Scores are
drawn: of two persons a, b: mean(kind) + sqrt(1 - r) e + sqrt(r) (u_a + u_b) / sqrt(2), e a pair's own number, u a
person's, all standard normal; so pairs depend on each other by the persons that they share, the more the larger r. The
means are set for accuracies of 0.93 and 0.99 at the best threshold. What must be covered is the mean accuracy by folds
of as many other trials.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/evaluation.py` works as well

from base.environment import load_tensorflow, processor  # noqa: E402 - after the path is set
from base.mix import generator  # noqa: E402

ACCURACIES = (0.93, 0.99)
SHARES = (0.0, 0.3, 0.6)


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    load_tensorflow()
    from tfrecords.benchmark import parse_pairs_file
    a, b, same, fold = (np.array(column) for column in zip(*parse_pairs_file(options.pairs), strict=True))
    people = np.stack([_persons(a), _persons(b)], axis=1)
    _, number = np.unique(people, return_inverse=True)
    number = number.reshape(people.shape)
    seconds = _metrics_seconds(number, same, fold, rounds=options.rounds)
    print(f"all metrics and intervals of {len(same):,} pairs: {seconds:.2f} s", flush=True)
    found = {}
    for accuracy in ACCURACIES:
        for share in SHARES:
            covered, truth = coverage(number, same, fold, accuracy=accuracy, share=share, trials=options.trials)
            found[f"{accuracy:g}, r {share:g}"] = round(covered, 4)
            print(f"accuracy {accuracy:g} (by folds {truth:.5f}), r = {share:g}: covered in {100 * covered:.1f} % of "
                  f"{options.trials:,} trials", flush=True)
    against = over_forward(options.benchmark) if options.benchmark else {}
    print(json.dumps({
        **against, "metrics_s": round(seconds, 3), "coverage_min": min(found.values()),
        "coverage_max": max(found.values()), "coverage": found, "trials": options.trials,
        "num_pairs": len(same), "num_people": int(number.max()) + 1,
        "numpy": np.__version__, "processor": processor()}))
    return 0


def coverage(people, same, fold, *, accuracy, share, trials):
    """How often `fold_interval` of drawn scores covers the mean accuracy by folds.

    Args:
        people: int [P, 2], from 0.
        same: bool [P].
        fold: int [P].
        accuracy: at the best threshold, 0.5 to 1.
        share: r, of the variance of a score that comes from the persons, 0 to 1.
        trials: number of sets of scores.

    Returns:
        (share of trials that cover, the mean accuracy).
    """
    from evaluation import metrics
    from evaluation.interval import fold_interval
    distance = mean_distance(accuracy, share)

    def accuracies(what, number):
        scores = draw_scores(generator(number, what, round(1000 * accuracy), round(1000 * share)), people, same,
                             distance=distance, share=share)
        return metrics.k_fold(scores, same, fold).accuracies

    truth = float(np.mean([accuracies("truth", number).mean() for number in range(trials)]))
    limits = [fold_interval(accuracies("trial", number)) for number in range(trials)]
    return sum(low <= truth <= high for low, high in limits) / trials, truth


def draw_scores(draw, people, same, *, distance, share):
    """One set of scores, float64 [P]; genuine pairs have the mean `distance`, impostor ones 0."""
    person = draw.standard_normal(people.max() + 1)[people].sum(axis=1) / np.sqrt(2)
    return distance * same + np.sqrt(1 - share) * draw.standard_normal(len(same)) + np.sqrt(share) * person


def mean_distance(accuracy, share):
    """The distance of the means at which the best threshold decides the share `accuracy` of the pairs rightly.

    Impostor scores have variance 1, genuine ones 1 + r, since both of their persons are one.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr
    thresholds = np.linspace(0, 12, 12_001)

    def best(distance):
        return (ndtr((distance - thresholds) / np.sqrt(1 + share)) + ndtr(thresholds)).max() / 2

    return brentq(lambda distance: best(distance) - accuracy, 0.1, 12)


def _metrics_seconds(people, same, fold, *, rounds):
    """The median time of everything that stands in a report but the embedding and the pictures."""
    from evaluation.benchmark import measure
    draw = generator(0, "time")
    scores = draw_scores(draw, people, same, distance=4.0, share=0.3)
    norms, seconds = draw.uniform(1, 2, people.shape), []
    for _ in range(rounds):
        started = time.perf_counter()
        measure(scores, same, fold, people=people, norms=norms)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def over_forward(path):
    """Whole evaluation over bare forward passes, one round each: dict with the ratio, crops and crops a second."""
    import models
    from evaluation.benchmark import evaluate_scored, open_benchmark
    from evaluation.embed import embed_crops
    from models.registry import Spec, from_spec
    from tfrecords.template import get_template
    template = get_template("112x96")
    folder = open_benchmark(path, template)
    model = models.export(from_spec(Spec(name="resface20", template_shape=template.shape, width=1.0,
                                         embedding_size=512, batch_norm=True)))
    crops = np.stack([folder.crop(number) for number in range(folder.num_records)])
    embed_crops(model, crops[:256], names=folder.keys)   # traces
    seconds = []
    for work in (lambda: embed_crops(model, crops, names=folder.keys), lambda: evaluate_scored(model, folder)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
        print(f"{seconds[-1]:.1f} s for {len(crops):,} crops", flush=True)
    return {"over_forward": round(seconds[1] / seconds[0], 4), "num_crops": len(crops),
            "forward_crops_per_s": round(2 * len(crops) / seconds[0], 1)}


def _persons(keys):
    return np.array([key.partition("/")[0] for key in keys])


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/evaluation.py", description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", required=True, help="pair list with folds, such as LFW's pairs.txt")
    parser.add_argument("--trials", type=int, default=3000, help="for each of the six kinds (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default %(default)s)")
    parser.add_argument("--benchmark", default="", help="an aligned benchmark folder of template 112x96")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
