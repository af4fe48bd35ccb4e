"""Stochastic gradient descent with momentum and the field's weight decay.

Keras' `weight_decay` is decoupled and does not enter the momentum: about ten times weaker for the same number. Here
it is added to the gradient, as in Caffe, MXNet and PyTorch; the velocity rule is Caffe's.
"""

import tensorflow as tf


class SGD:
    """g <- clip(g) + decay w;  v <- mu v - lr g;  w <- w + v.

    Attributes:
        variables: trained tf.Variables.
        velocities: one tf.Variable each, the state.
        decayed: one bool each: whether weight decay applies.
    """

    def __init__(self, settings, variables, *, decayed, constraints=None):
        """Makes the velocities; call it in the strategy's scope.

        Args:
            settings: a config Optimizer.
            variables: tf.Variables to train.
            decayed: bool for each of them.
            constraints: for each of them a function of the new value, or None.
        """
        self.settings, self.variables, self.decayed = settings, list(variables), list(decayed)
        self.constraints = list(constraints or [None] * len(self.variables))
        self.velocities = [tf.Variable(tf.zeros_like(v), trainable=False, name=f"velocity_{place}")
                           for place, v in enumerate(self.variables)]

    def update(self, gradients, *, rate, is_finite):
        """Changes weights and velocities by gradients already summed over replicas; nothing changes if not finite.

        Args:
            gradients: a tensor for each variable.
            rate: learning rate, [].
            is_finite: bool, []. A select, since a cond around updates is not allowed in a replica.
        """
        gradients = clip(gradients, self.settings.clip_norm)
        for place, (variable, velocity) in enumerate(zip(self.variables, self.velocities, strict=True)):
            gradient = gradients[place]
            if self.decayed[place]:
                gradient += self.settings.weight_decay * variable
            new = self.settings.momentum * velocity - rate * gradient
            velocity.assign(tf.where(is_finite, new, velocity))
            moved = variable + new
            if self.constraints[place] is not None:
                moved = self.constraints[place](moved)
            variable.assign(tf.where(is_finite, moved, variable))


def clip(gradients, largest):
    """Scales gradients so that their common norm is at most `largest`; 0 leaves them alone."""
    if not largest:
        return gradients
    factor = tf.minimum(1.0, largest / tf.maximum(global_norm(gradients), 1e-12))
    return [gradient * factor for gradient in gradients]


def global_norm(gradients):
    """Norm of all gradients together, []."""
    return tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in gradients]))
