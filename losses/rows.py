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
        shown = loss.others(similarity, target, context)
        if loss.filter_above:
            shown = ops.where(similarity > loss.filter_above, 0.0, shown)
        shown = scale * shown
        return shown if each.bias is None else shown + each.bias

    return logits


def gathered(loss, parts, context, gather, *, is_valid):
    """The Batch of this step: own rows of B numbers, detached and joined over replicas by `gather`.

    `is_valid`: bool [B], whether a row's label is one of the classes.
    """
    rest = None
    if "rest" in loss.asks:
        scale = loss.scaling(context)
        others = [each.map(lambda values: scale * values).others() for each in parts]
        rest = log_sum_exp(others, largest(others))
    wide = {"embeddings": context.embeddings, "labels": context.labels} if "embeddings" in loss.asks else {}
    target = ops.where(is_valid, target_of(parts), float("nan"))
    own = {"target": target, "norms": context.norms, "g": context.g, "rest": rest, **wide}
    return Batch(**{name: None if value is None else gather(ops.stop_gradient(value)) for name, value in own.items()})


def updated(loss, parts, context, gather, *, is_valid=True):
    """The context with the batch and with the state after this step's update, both without gradient.

    Where a row of the batch is not valid or no number, the state stays: it would not get rid of a NaN any more.
    """
    context = replace(context, batch=gathered(loss, parts, context, gather, is_valid=is_valid))
    batch, before = context.batch, context.previous
    is_good = _all_finite(*(value for value in (batch.target, batch.norms, batch.rest) if value is not None))
    after = loss.update(before, batch, context)
    state = {name: ops.stop_gradient(ops.where(is_good, after[name], before[name])) for name in after}
    return replace(context, state=state)


def _all_finite(*tensors):
    found = [ops.all(ops.isfinite(tensor)) for tensor in tensors]
    return ops.all(ops.stack(found))
