"""Crops -> embeddings: original and mirrored, each crop once, and their fusion into one unit vector."""

import functools
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from base.checks import SettingsError, near_names
from evaluation.card import model_hash, read_card
from tfrecords.pipeline import embedding_batches
from tfrecords.template import TEMPLATES, get_template

_LEAST_NORM = 1e-12


def load_model(run):
    """Opens a run's model.keras: uint8 RGB crops [B, H, W, 3] -> embeddings float32 [B, D].

    Raises:
        FileNotFoundError, ValueError: no such model, or one that does not fit the run's card.
    """
    card, path = read_card(run), Path(run) / "model.keras"
    model_hash(run)   # says so where there is none
    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = (str(error).split("\n") or [""])[0]
        raise ValueError(f"{path} cannot be opened ({reason}); call the train.py command again, it writes it anew"
                         ) from error
    template, size = get_template(card["template"]), card["embedding_size"]
    if model.input_shape[1:] != (*template.shape, 3) or model.output_shape[-1] != size:
        raise ValueError(f"{path} makes {model.output_shape[-1]} numbers of crops of shape {model.input_shape[1:]}, "
                         f"but the card says {size} and template {template.name!r}; both must be of one run")
    return model


def check_template(folder, template):
    """Raises ValueError unless a Folder's crops are of `template`: both are named, and the command to align anew."""
    if folder.template != template:
        raise ValueError(f"{folder.path} has crops of template {folder.template.name!r}, but the model takes "
                         f"{template.name!r}. Align the photographs again into another folder: python -m align "
                         f"--template {template.name} --input PHOTOGRAPHS --output DATA")


def embed(model, folder, *, batch=256):
    """Embeds every crop of a Folder once, in record order.

    Args:
        model: a keras.Model, uint8 [B, H, W, 3] -> [B, D], as `load_model` or `models.export` gives it.
        folder: an opened dataset Folder of the model's template.
        batch: crops at once; changes speed and memory only.

    Returns:
        (original, mirrored): float32 [N, D] each, raw, row = record number.

    Raises:
        ValueError: another template, or an embedding that is not finite or zero (its photograph is named).
    """
    check_template(folder, model_template(model))
    batches = (crops for crops, _ in embedding_batches(folder, batch_size=batch))
    halves = _forward(model, batches, batch)
    _check_embeddings(halves, lambda number: folder.keys[number])
    return halves


def embed_crops(model, crops, *, names, batch=256):
    """Embeds crops in memory.

    Args:
        model: as in `embed`.
        crops: uint8 RGB [N, H, W, 3], or a list of N crops.
        names: what to call each crop in a message.
        batch: crops at once; changes speed and memory only.

    Returns:
        (original, mirrored): float32 [N, D] each.
    """
    crops = np.asarray(crops)
    batch = max(1, min(batch, len(crops)))
    halves = _forward(model, (crops[start:start + batch] for start in range(0, len(crops), batch)), batch)
    _check_embeddings(halves, lambda number: names[number])
    return halves


def flip_concatenate(original, mirrored):
    """Concatenation of the unit halves, normalised: [N, D], [N, D] -> float64 [N, 2 D].

    The cosine of two such vectors is the mean of the cosines of the halves.
    """
    return np.concatenate([_unit(original), _unit(mirrored)], axis=1) / np.sqrt(2.0)


def raw_concatenate(original, mirrored):
    """Concatenation of the raw halves: [N, D], [N, D] -> float64 [N, 2 D]; not normalised."""
    return np.concatenate([original, mirrored], axis=1).astype(np.float64)


FUSIONS = {
    "flip_concatenate": flip_concatenate,
    "sum": lambda original, mirrored: _unit(original.astype(np.float64) + mirrored),
    "single": lambda original, mirrored: _unit(original),
}
CENTRED = "centred_concatenate"
"""SphereFace's (Liu et al. 2017, arXiv:1704.08063): raw halves less their mean over the fitting folds, normalised. The
mean depends on the fold, so it is no rule for a crop alone: `centred`."""


def fuse(original, mirrored, fusion):
    """Makes one unit vector a crop from its two embeddings by the rule named `fusion` (one of FUSIONS)."""
    check_fusion(fusion, FUSIONS)
    return FUSIONS[fusion](original, mirrored)


def centred(original, mirrored, fitting):
    """Makes one unit vector a crop: raw halves less their mean over the crops numbered `fitting` (repeats count)."""
    rows = raw_concatenate(original, mirrored)
    return _unit(rows - rows[fitting].mean(axis=0))


def check_fusion(fusion, names=(*FUSIONS, CENTRED)):
    """Raises SettingsError where there is no fusion of that name."""
    if fusion not in names:
        raise SettingsError(f"there is no fusion {fusion!r}{near_names(fusion, names)}")


def model_template(model):
    """Returns the Template whose crops a model takes; ValueError where none has its input's shape."""
    shape = getattr(model, "input_shape", None)
    for template in TEMPLATES.values():
        if isinstance(shape, tuple) and shape[1:] == (*template.shape, 3):
            return template
    raise ValueError(f"model {model.name!r} has input {shape!r}, expected crops [B, height, width, 3] of a template "
                     f"({', '.join(TEMPLATES)}); a network in training is given as models.export(model)")


def _forward(model, batches, batch):
    """Runs all batches through one trace: a short batch is filled up, and its rows are cut off again."""
    shape = model_template(model).shape
    both, original, mirrored = _traced(model, batch), [], []
    for crops in batches:
        _check_crops(crops, (*shape, 3))
        filled = np.concatenate([crops, np.zeros((batch - len(crops), *shape, 3), np.uint8)])
        for half, kept in zip(both(filled), (original, mirrored), strict=True):
            kept.append(half.numpy()[:len(crops)].astype(np.float32))
    if not original:
        return np.zeros((0, model.output_shape[-1]), np.float32), np.zeros((0, model.output_shape[-1]), np.float32)
    return np.concatenate(original), np.concatenate(mirrored)


@functools.lru_cache(maxsize=1)   # of the last model only: it would keep others in memory
def _traced(model, batch):
    """The function of uint8 [batch, H, W, 3] that embeds crops and their mirror images."""
    @tf.function(input_signature=[tf.TensorSpec((batch, *model_template(model).shape, 3), tf.uint8)], autograph=False)
    def both(crops):
        return model(crops, training=False), model(tf.reverse(crops, axis=[2]), training=False)

    return both


def _check_crops(crops, shape):
    if crops.dtype != np.uint8:
        raise ValueError(f"crops are {crops.dtype}, expected uint8 as decoded, 0 to 255: the model's first layer makes "
                         f"(x - 127.5) / 128 of them, and made twice it would ruin the scores in silence")
    if crops.shape[1:] != shape:
        raise ValueError(f"crops have shape {crops.shape}, the model takes [B, {shape[0]}, {shape[1]}, 3]")


def _check_embeddings(halves, name):
    """Refuses rows that would give NaN scores, which reject in silence."""
    for half, what in zip(halves, ("", "mirrored "), strict=True):
        norms = np.linalg.norm(half.astype(np.float64), axis=1)
        bad = np.flatnonzero(~(np.isfinite(norms) & (norms > _LEAST_NORM)))
        if len(bad):
            number = int(bad[0])
            kind = "zero" if np.isfinite(norms[number]) else "not finite"
            raise ValueError(f"the embedding of the {what}crop {name(number)!r} is {kind}, as are {len(bad) - 1} "
                             f"others of {len(half)}; the model is broken: take an older checkpoint or train again")


def _unit(rows):
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
