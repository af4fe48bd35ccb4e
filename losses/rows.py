"""From similarities to the loss of each row, in parts of the classes; and a step's update of what a loss remembers."""

from dataclasses import replace

from keras import ops

from losses.loss import Batch
from losses.reduce import SUMS, log_sum_exp_others, target_of


def row_losses(loss, parts, context):
    """The loss of each row [B] from the similarities of all classes, given in one part or several."""
    scale, target = loss.scaling(context), target_of(parts)
    logits = [each.map(_logits(loss, scale, each, target, context)) for each in parts]
    target_logit = ops.reshape(scale * ops.expand_dims(loss.target(target, context), 1), (-1,))
    target_logit = target_logit + sum(each.target_bias() for each in parts)
    return loss.finish(target_logit, SUMS[loss.sums](logits), context) + loss.extra(context)


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
        rest = log_sum_exp_others([each.map(lambda values: scale * values) for each in parts])
    wide = {"embeddings": context.embeddings, "labels": context.labels} if "embeddings" in loss.asks else {}
    own = {"target": target_of(parts), "norms": context.norms, "g": context.g, "rest": rest, **wide}
    return Batch(**{name: None if value is None else gather(ops.stop_gradient(value)) for name, value in own.items()})


def updated(loss, parts, context, gather):
    """The context with the batch and with the state after this step's update, both without gradient."""
    context = replace(context, batch=gathered(loss, parts, context, gather))
    state = loss.update(context.previous, context.batch, context)
    return replace(context, state={name: ops.stop_gradient(value) for name, value in state.items()})
