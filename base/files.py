"""Writing files so that a half-written one is never taken for whole."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path


@contextlib.contextmanager
def naming(path):
    """Gives the name of `path` to an error of the system that comes without one, as that of a full disk does."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextlib.contextmanager
def atomic_write(path, mode="wb"):
    """Gives a file written beside `path`, synced and renamed over it at the end; removed if the body raises."""
    path = Path(path)
    encoding = None if "b" in mode else "utf-8"
    number, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with naming(path):
            with os.fdopen(number, mode, encoding=encoding, newline=None if "b" in mode else "") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            publish(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def publish(temporary, path):
    """Renames a finished, synced file (or folder) to `path`, with ordinary permissions, and syncs its folder."""
    if os.path.isfile(temporary):
        os.chmod(temporary, 0o666 & ~_umask())
    os.replace(temporary, path)
    sync(Path(path).parent)


def sync(path):
    """Asks the disk to keep a file's bytes, or the names in a folder (a rename is not safe before that)."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def atomic_text(path, text):
    """Writes `text` as UTF-8, whole or not at all."""
    with atomic_write(path, "w") as file:
        file.write(text)


def atomic_json(path, value):
    """Writes `value` as readable JSON, whole or not at all; NaN and infinity are refused by the format."""
    atomic_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path):
    """Reads a JSON file; ValueError names the file when it is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}); restore it or make it again") from error


def sha256(path):
    """Returns the hex sha256 of a file, read in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_parts(folder):
    """Removes what a killed `atomic_write` left in `folder`."""
    for part in Path(folder).glob(".*.part"):
        part.unlink()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
