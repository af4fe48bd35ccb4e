"""What is wrong with a result, in sentences: what is always looked at, since it costs nothing."""

import math
import unicodedata

import numpy as np

_COLLAPSED = 0.9   # mean cosine of impostor pairs


def faults(model, scores, pairs, result):
    """What always is looked at.

    Args:
        model: the keras.Model.
        scores: float64 [P] of the pairs.
        pairs: Pairs.
        result: dict with accuracy and auc of these scores.

    Returns:
        A list of sentences, empty where nothing is wrong.
    """
    found = []
    readable = np.isfinite(scores)
    impostor = scores[readable & ~pairs.same]
    if is_untrained(model):
        found.append("the model was never trained: its batch statistics are those of a fresh network")
    if len(impostor) and impostor.mean() > _COLLAPSED:
        found.append(f"the embeddings are collapsed: the mean cosine of impostor pairs is {impostor.mean():.3f}; look "
                     f"at the learning rate and the margin")
    if len(np.unique(scores[readable])) < 2:
        found.append("all scores are equal: the model gives every crop the same embedding")
    elif result["auc"] < 0.5:
        found.append(f"AUC is {result['auc']:.3f}: impostor pairs score higher than genuine ones, as if the lists were "
                     f"exchanged")
    elif result["accuracy"] < 0.5 + 3 * math.sqrt(0.25 / len(scores)):
        found.append(f"accuracy {result['accuracy']:.3f} is no better than chance on {len(scores):,} pairs; labels and "
                     f"photographs may be shifted against each other")
    return found


def is_untrained(model):
    """True where there are batch normalizations and all of them have the statistics that they begin with."""
    means = [weight.numpy() for weight in model.weights if weight.path.endswith("moving_mean")]
    spreads = [weight.numpy() for weight in model.weights if weight.path.endswith("moving_variance")]
    return bool(means) and not any(np.any(mean) for mean in means) and all(np.all(spread == 1) for spread in spreads)


def overlap(trained, benchmark):
    """Sentence about people of a benchmark that were trained on, by name.

    Args:
        trained: names of the training people, None where the run does not tell.
        benchmark: names of the benchmark's people.

    Returns:
        (number or None, sentence).
    """
    if trained is None:
        return None, "overlap of training and benchmark people: unknown (the run has no classes.txt)"
    known = {_plain(name) for name in trained}
    shared = sorted(name for name in benchmark if _plain(name) in known)
    if not shared:
        return 0, f"overlap of training and benchmark people by name: none of {len(benchmark):,}"
    return len(shared), (f"overlap of training and benchmark people by name: {len(shared):,} of {len(benchmark):,}, "
                         f"such as {shared[0]!r}; the result is too good by an unknown amount, leave them out by "
                         f"--data.left_out")


def _plain(name):
    """A name without accents, case, and what stands between its words."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
