"""What must be set before TensorFlow is imported, and what the processor can do."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from base.stop import Stop


def prepare(threads=None):
    """Sets the environment; call it before TensorFlow or Keras is imported.

    oneDNN is switched on (TensorFlow leaves it off on some processors, 20-50 % slower), TensorFlow's notes are
    silenced, Keras takes the TensorFlow backend unless KERAS_BACKEND is set. `threads` limits TensorFlow's threads;
    None leaves them to TensorFlow.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("MPLBACKEND", "Agg")
    if threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)


def load_tensorflow(threads=None):
    """Prepares and imports TensorFlow without the notes it prints about machines that have no GPU.

    They are shown where a GPU's driver is present but TensorFlow finds no GPU, and where the import fails.

    Returns:
        The module `tensorflow`.

    Raises:
        KeyboardInterrupt: after the import, where Ctrl-C or SIGTERM came during it; its C code would abort.
    """
    prepare(threads)
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notes, Stop() as stop:
        is_explained = False
        try:
            os.dup2(notes.fileno(), 2)
            import tensorflow as tf
            is_explained = bool(tf.config.list_physical_devices("GPU")) or not Path("/proc/driver/nvidia").exists()
            tf.constant(0)   # the first operation prints the last of them
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            if not is_explained and not stop.is_set():
                notes.seek(0)
                sys.stderr.write(notes.read().decode(errors="replace"))
    if stop.is_set():
        raise KeyboardInterrupt
    return tf


def processor():
    """Returns the processor's name, to stand beside every measured figure."""
    model = _cpu_field("model name") or platform.processor() or platform.machine()
    widths = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in cpu_flags()]
    return f"{model} ({os.cpu_count()} threads{'; ' if widths else ''}{', '.join(widths)})"


def cpu_flags():
    """Returns the set of instruction flags the kernel reports; empty where it reports none."""
    return set(_cpu_field("flags").split())


def has_bf16():
    """True where the processor itself computes in bfloat16 (else TensorFlow emulates it, about ten times slower)."""
    return bool(cpu_flags() & {"avx512_bf16", "amx_bf16"})


def python_version():
    """Returns the running Python as `3.11.7`."""
    return ".".join(map(str, sys.version_info[:3]))


def _cpu_field(name):
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
