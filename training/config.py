"""Settings of a training run: what train.py's presets and options hold."""

import math
from dataclasses import dataclass, field

from base.checks import require
from tfrecords.config import Augmentation


@dataclass(frozen=True)
class Data:
    """What is trained on and tested with."""

    train: str = ""
    """Dataset folder with the training crops (made by python -m align)."""
    benchmarks: list[str] = field(default_factory=list)
    """Benchmark folders to evaluate during and after training."""
    batch_size: int = 128
    """Crops a step over all devices together, at least 2."""
    order: str = "shuffled"
    """shuffled: every crop once an epoch; class_balanced: every identity equally often."""
    fewest_crops: int = 1
    """Identities with fewer crops are left out."""
    left_out: str = ""
    """A file of identities to leave out, one a line, such as people held out for choosing settings."""

    def __post_init__(self):
        require(self.batch_size >= 2, "data.batch_size", self.batch_size, "at least 2")
        require(self.fewest_crops >= 1, "data.fewest_crops", self.fewest_crops, "at least 1")
        _one_of("data.order", self.order, ("shuffled", "class_balanced"))


@dataclass(frozen=True)
class Network:
    """The backbone; python -m models lists them."""

    name: str = "resface20"
    """Its name in models/registry.py."""
    width: float = 1.0
    """Factor of all channel counts; 1 is the paper's."""
    embedding_size: int = 512
    """Numbers an embedding."""
    dropout: float = 0.0
    """Share of the last map's values dropped in training, 0 to below 1."""
    batch_norm: bool = True
    """Batch normalization after every convolution; false gives the paper's plain network."""
    padding: str = "symmetric"
    """Padding at stride 2: symmetric (Caffe, PyTorch) or same (TensorFlow)."""
    init_from: str = ""
    """A run folder whose model gives the first weights."""

    def __post_init__(self):
        require(0 < self.width <= 8, "network.width", self.width, "a number above 0, at most 8")
        require(self.embedding_size >= 2, "network.embedding_size", self.embedding_size, "at least 2")
        require(0 <= self.dropout < 1, "network.dropout", self.dropout, "a share from 0 to below 1")


@dataclass(frozen=True)
class Loss:
    """The loss; python -m losses lists them with their parameters."""

    name: str = "amsoftmax"
    """Its name in losses/registry.py."""
    params: dict[str, int | float | bool | str] = field(default_factory=dict)
    """Its parameters, such as scale and margin; those not named keep the paper's values."""
    ramp_from: float = 0.0
    """The margin is 0 until this share of the steps, 0 to 1."""
    ramp_to: float = 0.0
    """The margin has grown linearly to its value at this share of the steps; 0 means from the start."""

    def __post_init__(self):
        require(0 <= self.ramp_from <= self.ramp_to <= 1, "loss.ramp_from and loss.ramp_to",
                (self.ramp_from, self.ramp_to), "rising shares of the steps, from 0 to 1")


@dataclass(frozen=True)
class Optimizer:
    """Stochastic gradient descent as the papers write it: v <- mu v - lr (g + decay w); w <- w + v."""

    momentum: float = 0.9
    """mu, 0 to below 1."""
    weight_decay: float = 5e-4
    """Added to the gradient of kernels and centers (not to batch norm, biases, PReLU slopes)."""
    clip_norm: float = 0.0
    """Largest norm of all gradients together, before the decay; 0 switches it off."""

    def __post_init__(self):
        require(0 <= self.momentum < 1, "optimizer.momentum", self.momentum, "a number from 0 to below 1")
        require(0 <= self.weight_decay < 1, "optimizer.weight_decay", self.weight_decay, "a number from 0 to below 1")
        require(0 <= self.clip_norm < math.inf, "optimizer.clip_norm", self.clip_norm, "a finite number, 0 or more")


@dataclass(frozen=True)
class Schedule:
    """Length of the run and the learning rate against steps."""

    steps: int = 0
    """Length in steps; 0 takes it from epochs."""
    epochs: float = 20.0
    """Length in epochs, where steps is 0."""
    kind: str = "cosine"
    """cosine: to 0 at the end; step: times factor at each of drops; constant."""
    rate: float = 0.1
    """Highest learning rate, for the global batch."""
    warmup_steps: int = 0
    """Steps over which the rate grows linearly from 0."""
    drops: list[int] = field(default_factory=list)
    """Steps at which the rate falls (kind step)."""
    factor: float = 0.1
    """What the rate is multiplied by at each drop."""

    def __post_init__(self):
        _one_of("schedule.kind", self.kind, ("cosine", "step", "constant"))
        require(self.steps >= 0, "schedule.steps", self.steps, "0 or more")
        require(0 < self.epochs < 1e6, "schedule.epochs", self.epochs, "above 0, below 1,000,000")
        require(0 < self.rate < math.inf, "schedule.rate", self.rate, "a finite number above 0")
        require(0 < self.factor < 1, "schedule.factor", self.factor, "between 0 and 1")
        require(self.warmup_steps >= 0, "schedule.warmup_steps", self.warmup_steps, "0 or more")
        require(self.drops == sorted(self.drops), "schedule.drops", self.drops, "rising steps")


@dataclass(frozen=True)
class Engine:
    """How the work is done on this machine."""

    precision: str = "auto"
    """float32, mixed_bfloat16, or auto: bfloat16 where the processor or GPU computes in it."""
    devices: int = 0
    """Devices to train on; 0 takes all GPUs, or the processor where there is none."""
    synchronized_batch_norm: bool = True
    """Batch statistics over all devices; off makes the result depend on their number."""
    jit_compile: bool = False
    """Compile the step with XLA (one device only)."""
    threads: int = 0
    """Processor threads; 0 leaves them to TensorFlow. Equal bits need an equal number."""
    deterministic: bool = False
    """Only operations that repeat to the bit; needed for that on GPUs, where it costs speed, not on processors."""

    def __post_init__(self):
        _one_of("engine.precision", self.precision, ("auto", "float32", "mixed_bfloat16"))
        require(self.devices >= 0, "engine.devices", self.devices, "0 or more")
        require(self.threads >= 0, "engine.threads", self.threads, "0 or more")


@dataclass(frozen=True)
class Intervals:
    """What is written how often, in steps."""

    log: int = 20
    """Curves and log.jsonl."""
    checkpoint: int = 500
    """Checkpoint and model."""
    evaluate: int = 0
    """Benchmarks; 0 only at the end."""
    keep: int = 3
    """Checkpoints kept."""
    best: str = ""
    """Name of a benchmark: the model that is most accurate on it is kept in RUN/best, a run folder of its own."""

    def __post_init__(self):
        for name in ("log", "checkpoint", "keep"):
            require(getattr(self, name) >= 1, f"intervals.{name}", getattr(self, name), "at least 1")
        require(self.evaluate >= 0, "intervals.evaluate", self.evaluate, "0 or more")
        require(self.evaluate or not self.best, "intervals.best", self.best, "with --intervals.evaluate N as well")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that train.py needs."""

    run: str = ""
    """Run folder: made by the first call, gone on with by the next."""
    seed: int = 0
    """Decides first weights, order, augmentation and dropout."""
    data: Data = field(default_factory=Data)
    augmentation: Augmentation = field(default_factory=Augmentation)
    network: Network = field(default_factory=Network)
    loss: Loss = field(default_factory=Loss)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    engine: Engine = field(default_factory=Engine)
    intervals: Intervals = field(default_factory=Intervals)


def check_complete(config):
    """Raises SettingsError where a preset alone may leave a field open but a run may not."""
    require(config.run, "run", config.run, "a folder for the run: --run RUN")
    require(config.data.train, "data.train", config.data.train, "a dataset folder: --data.train DATA")


def _one_of(name, value, words):
    require(value in words, name, value, f"one of {', '.join(words)}")
