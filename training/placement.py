"""Where the step runs: one device, or all GPUs of this machine with mirrored variables."""

import tensorflow as tf

from base.checks import require
from base.environment import has_bf16


def choose(engine, *, batch_size):
    """Returns the tf.distribute strategy for a config Engine and prints nothing.

    Raises:
        SettingsError: more devices asked for than there are, XLA on several, or a global batch that they cannot share.
    """
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    there = tf.config.list_logical_devices(kind)
    wanted = engine.devices or (len(there) if kind == "GPU" else 1)
    require(wanted <= len(there), "engine.devices", engine.devices, f"at most the {len(there)} {kind}s there are")
    if wanted == 1:
        return tf.distribute.get_strategy()
    require(not engine.jit_compile, "engine.jit_compile", True, "false on several devices")
    require(batch_size % wanted == 0, "data.batch_size", batch_size, f"a multiple of the {wanted} devices")
    return tf.distribute.MirroredStrategy([device.name for device in there[:wanted]])


def describe(strategy):
    """Returns a phrase such as `2 GPUs, mirrored` to print at the start."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    count = strategy.num_replicas_in_sync
    return f"one {kind}" if count == 1 else f"{count} {kind}s, mirrored"


def resolve_precision(wanted):
    """`auto` becomes mixed_bfloat16 where processor or GPU computes in it, else float32."""
    if wanted != "auto":
        return wanted
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "mixed_bfloat16" if has_bf16() else "float32"
    capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
    return "mixed_bfloat16" if capability >= (8, 0) else "float32"


def precision_warning(precision):
    """Returns a warning where bfloat16 would be emulated, else an empty text."""
    is_emulated = precision == "mixed_bfloat16" and not tf.config.list_physical_devices("GPU") and not has_bf16()
    return ("this processor has no bfloat16 instructions: it is emulated, about ten times slower than "
            "--engine.precision float32") if is_emulated else ""


def split(strategy, batch):
    """Gives replica r of R the r-th contiguous slice of every tensor in `batch`."""
    count = strategy.num_replicas_in_sync
    if count == 1:
        return batch

    def part(context):
        number = context.replica_id_in_sync_group
        return {name: tf.split(value, count)[number] for name, value in batch.items()}

    return strategy.experimental_distribute_values_from_function(part)
