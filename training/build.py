"""Builds what a run works with: data, network, head, optimizer."""

import warnings
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

import losses.registry
import models.registry
from base.checks import require
from losses.head import Head
from tfrecords.folder import Folder
from tfrecords.order import ORDERS
from tfrecords.selection import read_names, select
from training.kernels import fast_layers
from training.optimizer import SGD
from training.step import Parts


@dataclass(frozen=True)
class Source:
    """The training data of a run."""

    folder: Folder
    selection: object
    """tfrecords.selection.Selection"""
    order: object
    """a function of g"""


def open_data(config):
    """Opens and checks the training folder, keeps the wanted identities, chooses the order."""
    folder = Folder.open(config.data.train)
    require(folder.meta["kind"] == "training", "data.train", str(folder.path),
            "training data: this is a benchmark, align photographs without --pairs")
    folder.verify()
    left_out = read_names(config.data.left_out) if config.data.left_out else ()
    selection = select(folder, fewest_crops=config.data.fewest_crops, left_out=left_out)
    return Source(folder, selection, ORDERS[config.data.order](selection.labels, config.seed))


def build_parts(config, source, strategy):
    """Makes network, head and optimizer in the strategy's scope; returns Parts."""
    with strategy.scope():
        network = config.network
        is_spread = strategy.num_replicas_in_sync > 1
        model = models.registry.build(
            network.name, template_shape=source.folder.template.shape, embedding_size=network.embedding_size,
            width=network.width, dropout=network.dropout, batch_norm=network.batch_norm, padding=network.padding,
            seed=config.seed, synchronized=is_spread and config.engine.synchronized_batch_norm,
            dtype=config.engine.precision, **fast_layers(
                on_processor=not tf.config.list_logical_devices("GPU"), jit_compile=config.engine.jit_compile))
        loss = losses.registry.build(config.loss.name, config.loss.params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)       # the run says it: head.advice
            head = Head(loss, len(source.selection.classes), counts=np.bincount(source.selection.labels),
                        epoch_steps=-(-source.order.epoch // config.data.batch_size), seed=config.seed)
        head.build((None, network.embedding_size))
        trained = [*model.trainable_variables, *head.trainable_variables]
        optimizer = SGD(config.optimizer, [variable.value for variable in trained],
                        decayed=[is_decayed(variable, head) for variable in trained],
                        constraints=[variable.constraint for variable in trained])
    return Parts(model, head, optimizer, strategy)


def is_decayed(variable, head):
    """Weight decay applies to kernels and centers; not to batch norm, biases, PReLU slopes, trained scalars."""
    return variable.path.endswith("kernel") or any(variable is center for center in head.decayed)


def decay_summary(parts):
    """Returns a line that says how many arrays decay applies to and which kinds it leaves alone."""
    named = [*parts.model.trainable_variables, *parts.head.trainable_variables]
    kinds = {True: {}, False: {}}
    for variable, decayed in zip(named, parts.optimizer.decayed, strict=True):
        kind = variable.path.rpartition("/")[2]
        kinds[decayed][kind] = kinds[decayed].get(kind, 0) + 1
    words = [", ".join(f"{count} {kind}" for kind, count in kinds[flag].items()) or "none" for flag in (True, False)]
    return f"weight decay on {words[0]}; not on {words[1]}"


def lone_crops(source):
    """Returns a line where most people have one crop only, else ""."""
    counts = np.bincount(source.selection.labels)
    lone = int((counts == 1).sum())
    if 2 * lone <= len(counts):
        return ""
    return (f"{lone} of {len(counts)} people have one crop only, which do not show how photographs of one person "
            f"differ: add photographs of them, or leave them out by --data.fewest_crops 2")


def describe_data(source, parts):
    """Returns a line about the crops, the identities kept and the size of the network."""
    kept, there = len(source.selection.classes), len(source.folder.classes)
    left = f" ({there - kept} identities left out)" if kept < there else ""
    weights = parts.model.count_params() / 1e6
    return (f"{len(source.selection.records)} crops of {kept} people{left} from {source.folder.path}; "
            f"{parts.model.name} with {weights:.2f} M numbers")
