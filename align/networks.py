"""MTCNN's three networks as compiled functions over batches of uint8 RGB pictures.

All convolutions are valid with bias, PReLU slopes are per channel, pools round up as in Caffe. The dense layers were
trained on transposed pictures, so the two sides of a map are exchanged before it is flattened.
"""

import tensorflow as tf

from align.weights import load


def proposal_network():
    """P-Net: uint8 [B, H, W, 3] -> (score [B, h, w], regression [B, h, w, 4]); h = ceil((H - 2) / 2) - 4.

    Cell (i, j) looks at the 12 x 12 pixels from (2 i, 2 j).
    """
    arrays = load("pnet")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)], autograph=False)
    def run(pictures):
        x = _convolution(_pixels(pictures), arrays[0:3])
        x = _pool(x, 2)
        x = _convolution(_convolution(x, arrays[3:6]), arrays[6:9])
        return _score(_convolution(x, arrays[11:13])), _convolution(x, arrays[9:11])

    return run


def refine_network():
    """R-Net: uint8 [N, 24, 24, 3] -> (score [N], regression [N, 4])."""
    arrays = load("rnet")

    @tf.function(input_signature=[tf.TensorSpec((None, 24, 24, 3), tf.uint8)], autograph=False)
    def run(pictures):
        x = _pool(_convolution(_pixels(pictures), arrays[0:3]), 3)
        x = _pool(_convolution(x, arrays[3:6]), 3, padding="VALID")
        x = _flatten(_convolution(x, arrays[6:9]))
        x = _prelu(_dense(x, arrays[9:11]), arrays[11])
        return _score(_dense(x, arrays[14:16])), _dense(x, arrays[12:14])

    return run


def output_network():
    """O-Net: uint8 [N, 48, 48, 3] -> (score [N], regression [N, 4], landmarks [N, 10]: five x, then five y)."""
    arrays = load("onet")

    @tf.function(input_signature=[tf.TensorSpec((None, 48, 48, 3), tf.uint8)], autograph=False)
    def run(pictures):
        x = _pool(_convolution(_pixels(pictures), arrays[0:3]), 3)
        x = _pool(_convolution(x, arrays[3:6]), 3, padding="VALID")
        x = _pool(_convolution(x, arrays[6:9]), 2)
        x = _flatten(_convolution(x, arrays[9:12]))
        x = _prelu(_dense(x, arrays[12:14]), arrays[14])
        return _score(_dense(x, arrays[19:21])), _dense(x, arrays[15:17]), _dense(x, arrays[17:19])

    return run


def _pixels(pictures):
    return (tf.cast(pictures, tf.float32) - 127.5) / 128.0


def _convolution(x, arrays):
    """Kernel, bias and, where there is a third array, PReLU."""
    x = tf.nn.bias_add(tf.nn.conv2d(x, arrays[0], 1, "VALID"), arrays[1])
    return _prelu(x, arrays[2]) if len(arrays) == 3 else x


def _prelu(x, slope):
    if slope.max() <= 1:   # the same values in half the passes over the map
        return tf.maximum(x, slope * x)
    return tf.nn.relu(x) + slope * tf.minimum(x, 0.0)


def _pool(x, side, padding="SAME"):
    return tf.nn.max_pool2d(x, side, 2, padding)


def _flatten(x):
    x = tf.transpose(x, (0, 2, 1, 3))
    return tf.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3]))


def _dense(x, arrays):
    return tf.matmul(x, arrays[0]) + arrays[1]


def _score(logits):
    return tf.nn.softmax(logits)[..., 1]
