"""What a run leaves for later tools: the model, its card, the benchmarks' results, a sheet of the first crops."""

import platform
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

import models
from base.checks import require
from base.environment import processor
from base.files import naming, publish, sync
from evaluation.benchmark import evaluate_scored
from evaluation.card import read_card, update_card, write_card
from evaluation.check import examine
from evaluation.embed import load_model
from evaluation.outputs import write_report
from evaluation.plots import roc_chart
from evaluation.report import protocol, table
from tfrecords.manifest import write_classes
from tfrecords.sheet import contact_sheet, write_png

FUSION = "flip_concatenate"


def check_best(config, benchmarks):
    """Raises SettingsError where the benchmark of `intervals.best` is not among those that are evaluated."""
    names = [folder.name for folder in benchmarks]
    require(config.intervals.best in ("", *names), "intervals.best", config.intervals.best,
            f"the name of a benchmark of --data.benchmarks ({', '.join(names) or 'none is given'})")


class Results:
    """Writes into the run folder."""

    def __init__(self, config, source, parts, *, benchmarks, num_steps, digests):
        """Keeps what the card states; `benchmarks` are opened benchmark Folders."""
        self.config, self.source, self.parts = config, source, parts
        self.benchmarks, self.num_steps, self.digests = benchmarks, num_steps, digests
        self.run = Path(config.run)

    def first_batch(self, batch, monitor):
        """Shows the decoded crops as the network sees them, with their people, in TensorBoard and as a picture."""
        crops, labels = batch["crops"].numpy()[:60], batch["labels"].numpy()[:60]
        sheet = contact_sheet(list(crops), [self.source.selection.classes[label] for label in labels])
        write_png(self.run / "first_batch.png", sheet)
        monitor.picture("input/first batch", sheet, 0)
        monitor.text("run/configuration", "```\n" + (self.run / "config.yaml").read_text(encoding="utf-8") + "```")

    def write_model(self, step, folder=None):
        """Writes model.keras (float32, stock layers), classes.txt and the card, each whole or not at all.

        Into the run folder, or `folder`.
        """
        folder = folder or self.run
        part = folder / ".part.model.keras"
        try:
            with naming(folder / "model.keras"):
                models.export(self.parts.model).save(part)
                sync(part)
                publish(part, folder / "model.keras")
        finally:   # a full disk is not to be filled by half a model
            part.unlink(missing_ok=True)
        write_classes(folder / "classes.txt", self.source.selection.classes)
        write_card(folder, self._card(step))

    def evaluate(self, step, monitor):
        """Evaluates the benchmarks and shows their scores as curves; returns Scored, one a benchmark."""
        model = models.export(self.parts.model)
        found = []
        for folder in self.benchmarks:
            found.append(evaluate_scored(model, folder, fusion=FUSION))
            result = found[-1].result
            scores = {f"benchmark/{folder.name} {name}": value for name, value in _curves(result).items()}
            monitor.scalars(step, scores)
            chart = np.frombuffer(roc_chart({self.run.name: result}, title=protocol(result)), np.uint8)
            monitor.picture(f"benchmark/{folder.name} ROC", cv2.imdecode(chart, cv2.IMREAD_COLOR)[..., ::-1], step)
            monitor.say(f"step {step}: {folder.name}, {result['num_folds']} folds, {FUSION}: accuracy "
                        f"{result['accuracy']:.4f}")
            if folder.name == self.config.intervals.best:
                self._keep_if_best(step, folder, result)
        return found

    def _keep_if_best(self, step, folder, result):
        """Writes RUN/best where no model before was as accurate; its card has the result, so a resumed run knows it."""
        best = self.run / "best"
        try:
            before = read_card(best)
            is_of_run = before["configuration_digest"] == self.digests["configuration"]   # else of settings given up
            is_as_good = before["results"][folder.digest]["accuracy"] >= result["accuracy"]
            if is_of_run and is_as_good and before["step"] != step:
                return
        except (OSError, ValueError, KeyError):   # none yet, or one that was not finished
            best.mkdir(exist_ok=True)
        self.write_model(step, best)
        update_card(best, result)

    def finish(self, step, monitor):
        """Evaluates the finished run and writes reports, thresholds and results."""
        if not self._has_model(step):   # killed between the last checkpoint and the model, or a file was lost
            self.write_model(step)
        for scored in self.evaluate(step, monitor):
            for sentence in examine(self.run, scored, fusion=FUSION):
                monitor.say(f"{scored.folder.name}: {sentence}")
            write_report(self.run, scored)
            update_card(self.run, scored.result)
            monitor.show(table({self.run.name: scored.result}))

    def are_written(self):
        """True where the card is of the last step and has the results of every benchmark."""
        return self._has_model(self.num_steps) and all(
            folder.digest in read_card(self.run)["results"] for folder in self.benchmarks)

    def _has_model(self, step):
        """True where the model of `step` is there and opens; it is written before the card that names its step."""
        try:
            load_model(self.run)
            return read_card(self.run).get("step") == step
        except (ValueError, OSError):
            return False

    def _card(self, step):
        config, folder = self.config, self.source.folder
        return {
            "format": 1,
            "network": {"name": config.network.name, "width": config.network.width,
                        "batch_norm": config.network.batch_norm, "padding": config.network.padding},
            "embedding_size": config.network.embedding_size,
            "template": folder.template.name,
            "template_shape": list(folder.template.shape),
            "colour": "RGB",
            "pixels": "uint8; (x - 127.5) / 128 is the model's first layer",
            "fusion": FUSION,
            "loss": {"name": config.loss.name, "params": dict(config.loss.params)},
            "init_from": config.network.init_from,
            "step": step,
            "num_steps": self.num_steps,
            "precision": config.engine.precision,
            "seed": config.seed,
            "data_digest": self.digests["data"],
            "configuration_digest": self.digests["configuration"],
            "people": len(self.source.selection.classes),
            "people_left_out": sorted(set(folder.classes) - set(self.source.selection.classes)),
            "crops": len(self.source.selection.records),
            "thresholds": {},
            "results": {},
            "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy")}
            | {"python": platform.python_version()},
            "processor": processor(),
        }


def load_first_weights(model, run):
    """Copies the weights of another run's model into `model`; ValueError where they do not fit."""
    source = load_model(run)
    stock = {layer.name: layer for layer in source.layers if layer.weights}
    for layer in model.layers:
        if not layer.weights:
            continue
        weights = stock[layer.name].get_weights() if layer.name in stock else []
        if [np.shape(value) for value in weights] != [tuple(value.shape) for value in layer.weights]:
            raise ValueError(f"{run} has another network: its layer {layer.name!r} does not fit; take the network "
                             f"settings of {Path(run) / 'config.yaml'}")
        layer.set_weights(weights)


def _curves(result):
    rates = {f"TAR at FAR {entry['far']:g}": entry["tar"] for entry in result["tar"]}
    return {"accuracy": result["accuracy"], "AUC": result["auc"], "EER": result["eer"], **rates}
