"""MTCNN's weights, from the package `mtcnn`: located, never imported, and hashed before they are read.

The three files are pickles, so their bytes are compared with hashes in this file first.
"""

import hashlib
import importlib.util
import io
from pathlib import Path

import joblib
import numpy as np

SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}


def load(name):
    """Returns the arrays of `pnet`, `rnet` or `onet` in the order of the file (kernel, bias, slope a layer).

    Raises:
        FileNotFoundError: the package is not installed, or has no such file.
        ValueError: the file is another than this program knows.
    """
    spec = importlib.util.find_spec("mtcnn")
    if spec is None:
        raise FileNotFoundError("the package mtcnn, which brings the detector's weights, is not installed: "
                                "pip install 'mtcnn>=1.0,<2'")
    path = Path(spec.origin).parent / "assets" / "weights" / f"{name}.lz4"
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256[name]:
        raise ValueError(f"{path} has sha256 {found}, expected {SHA256[name]}; install mtcnn 1.0.0 again")
    return [np.asarray(array) for array in joblib.load(io.BytesIO(data))]
