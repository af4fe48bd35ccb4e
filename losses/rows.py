"""From similarities to the loss of each row, in parts of the classes; and a step's update of what a loss remembers."""

from dataclasses import replace

from keras import ops

from losses.loss import Batch
from losses.reduce import SUMS, count_reaching, largest, log_sum_exp, target_of


def row_losses(loss, parts, context):
    """Similarities of all classes, in one part or several -> ([B] losses, bool [B] correct).

    Correct is a row whose target has the largest logit, margin left out; a tie is not.
    """
    scale, target = loss.scaling(context), target_of(parts)
    bias = sum(each.target_bias() for each in parts)
    others = [each.map(_logits(loss, scale, each, target, context)).others() for each in parts]
    peak = largest(others)
    losses = loss.finish(_scaled(scale, loss.target(target, context)) + bias, SUMS[loss.sums](others, peak), context)
    plain = _scaled(scale, target) + bias
    if loss.shows_others_plain:
        return losses + loss.extra(context), plain > peak
    bare = [each.map(_plain(scale, each)) for each in parts]
    return losses + loss.extra(context), ops.equal(count_reaching(bare, plain), 1)


def plain_logits(loss, part, context):
    """[B, c], no margin."""
    return _plain(loss.scaling(context), part)(part.values)


def _scaled(scale, target):
    """[] or [B, 1], [B] -> [B]."""
    return ops.reshape(scale * ops.expand_dims(target, 1), (-1,))


def _plain(scale, each):
    return lambda similarity: scale * similarity if each.bias is None else scale * similarity + each.bias


def _logits(loss, scale, each, target, context):
    """Returns a function: similarities of a part [B, c] -> what its other classes show, scaled, with bias."""
    def logits(similarity):
        if loss.filter_above:
            similarity = ops.where(similarity > loss.filter_above, 0.0, similarity)
        shown = scale * loss.others(similarity, target, context)
        return shown if each.bias is None else shown + each.bias

    return logits


def gathered(loss, parts, context, gather):
    """The Batch of this step: own rows of B numbers, detached and joined over replicas by `gather`."""
    rest = None
    if "rest" in loss.asks:
        scale = loss.scaling(context)
        others = [each.map(lambda values: scale * values).others() for each in parts]
        rest = log_sum_exp(others, largest(others))
    wide = {"embeddings": context.embeddings, "labels": context.labels} if "embeddings" in loss.asks else {}
    own = {"target": target_of(parts), "norms": context.norms, "g": context.g, "rest": rest, **wide}
    return Batch(**{name: None if value is None else gather(ops.stop_gradient(value)) for name, value in own.items()})


def updated(loss, parts, context, gather):
    """The context with the batch and with the state after this step's update, both without gradient."""
    context = replace(context, batch=gathered(loss, parts, context, gather))
    state = loss.update(context.previous, context.batch, context)
    return replace(context, state={name: ops.stop_gradient(value) for name, value in state.items()})
