"""insightface's `.bin` benchmarks: a pickle of (encoded crops, is_same), read without the pickle machine.

A pickle is a program. Here its instructions are listed by `pickletools`, which runs none of them, and the few that
build lists, tuples, bytes and truth values are followed by our own code; any other one is refused. NumPy's arrays and
truth values are known by the names in the file, and nothing is imported by such a name.
"""

import math
import pickletools
from dataclasses import dataclass, field

MOST_BYTES = 2 ** 30   # of a file; LFW's has 40 MB, a set of 7,000 pairs as PNG has 400 MB
_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_GLOBALS = {
    ("_codecs", "encode"): "encode",
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    **{(module, name): name for module in _ARRAYS for name in ("_reconstruct", "_frombuffer", "scalar")},
}
_SILENT = {"PROTO", "FRAME"}
_VALUES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
           "INT", "BININT", "BININT1", "BININT2", "LONG1"}
_STRINGS = {"SHORT_BINSTRING", "BINSTRING"}   # of Python 2: bytes, which pickletools gives as Latin-1
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUTS, _GETS = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
_MARK = object()


class Refused(ValueError):
    """What a file holds that no benchmark has, in a few words."""


@dataclass(frozen=True)
class _Name:
    """A global of the stream; it stands for nothing but itself."""

    name: str


@dataclass
class _Kind:
    """The kind of an array's numbers: `u1` or `b1`."""

    code: str


@dataclass
class _Array:
    """Stands for a NumPy array or truth value: its bytes alone."""

    code: str = ""
    data: bytes = b""


def read_bin(path):
    """Reads a `.bin` benchmark.

    Returns:
        (images, same): encoded pictures, bytes, two a pair; a bool for each pair.

    Raises:
        ValueError: anything else in the file; what it is and where.
    """
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{path} has more than {MOST_BYTES >> 20} MiB, expected a benchmark of a few thousand crops")
    try:
        return _images_and_truths(_Reader().read(data))
    except Refused as error:
        raise ValueError(f"{path} {error}, which no benchmark in insightface's .bin form has; it was not run: take the "
                         f"file from another source") from error


def _images_and_truths(found):
    if not (isinstance(found, tuple | list) and len(found) == 2):
        raise Refused("holds no couple of a list of pictures and a list of truth values")
    images, same = found
    if isinstance(same, _Array) and same.code == "b1":
        same = [bool(value) for value in same.data]
    if not isinstance(images, list | tuple) or not isinstance(same, list | tuple):
        raise Refused("holds something else than a list of pictures and a list of truth values")
    images = [image.data if isinstance(image, _Array) and image.code == "u1" else image for image in images]
    same = [value.data != b"\0" if isinstance(value, _Array) and value.code == "b1" else value for value in same]
    if not all(isinstance(image, bytes) for image in images):
        raise Refused("holds a picture that is no row of bytes")
    if not all(isinstance(value, int) and value in (0, 1) for value in same):
        raise Refused("holds a truth value that is neither true nor false")
    if len(images) != 2 * len(same) or not same:
        raise Refused(f"holds {len(images)} pictures for {len(same)} pairs")
    return images, [bool(value) for value in same]


@dataclass
class _Reader:
    """Follows the instructions that build plain values."""

    stack: list = field(default_factory=list)
    memo: dict = field(default_factory=dict)

    def read(self, data):
        """Returns what the stream builds; Refused names the first instruction that is none of ours."""
        place = 0
        try:
            for opcode, argument, at in pickletools.genops(data):
                place = at
                if opcode.name == "STOP":
                    [found] = self.stack
                    return found
                self._step(opcode.name, argument)
        except Refused as error:
            raise Refused(f"holds {error} at byte {place}") from error
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError, StopIteration,
                UnicodeError) as error:   # a damaged stream, or a value where another kind must stand
            raise Refused(f"is damaged or no pickle (after byte {place})") from error
        raise Refused("is cut off")

    def _step(self, name, argument):
        if name in _VALUES:
            self.stack.append(bytes(argument) if isinstance(argument, bytearray) else argument)
        elif name in _STRINGS:
            self.stack.append(argument.encode("latin-1"))
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name in _PUTS:
            self.memo[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in _GETS:
            self.stack.append(self.memo[argument])
        elif name not in _SILENT:
            self._build(name, argument)

    def _build(self, name, argument):
        """Lists, tuples, and the stand-ins of NumPy."""
        if name in ("EMPTY_LIST", "LIST"):
            self.stack.append([] if name == "EMPTY_LIST" else self._to_mark())
        elif name in ("APPEND", "APPENDS"):
            items = self._to_mark() if name == "APPENDS" else [self.stack.pop()]
            _checked(self.stack[-1], list).extend(items)
        elif name == "TUPLE":
            self.stack.append(tuple(self._to_mark()))
        elif name in _TUPLES:
            cut = len(self.stack) - _TUPLES[name]
            self.stack[cut:] = [tuple(self.stack[cut:])]
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            module, name = argument.split(" ") if name == "GLOBAL" else (self.stack.pop(-2), self.stack.pop())
            if (module, name) not in _GLOBALS:
                raise Refused(f"the name {str(module)[:40]}.{str(name)[:40]}")
            self.stack.append(_Name(_GLOBALS[module, name]))
        elif name == "REDUCE":
            words = _checked(self.stack.pop(), tuple)
            self.stack.append(_call(_checked(self.stack.pop(), _Name).name, words))
        elif name == "BUILD":
            _set_state(self.stack[-2], self.stack.pop())
        else:
            raise Refused(f"the instruction {name}")

    def _to_mark(self):
        cut = next(place for place in range(len(self.stack) - 1, -1, -1) if self.stack[place] is _MARK)
        items = self.stack[cut + 1:]
        del self.stack[cut:]
        return items


def _call(name, words):
    """What NumPy's pickles call, as far as it makes bytes."""
    if name == "encode" and len(words) == 2 and words[1] in ("latin1", "latin-1"):
        return _checked(words[0], str).encode("latin-1")
    if name == "dtype" and words[0] in ("u1", "b1", b"u1", b"b1"):
        return _Kind(words[0] if isinstance(words[0], str) else words[0].decode())
    if name == "_reconstruct" and words[0] == _Name("ndarray"):
        return _Array()
    if name == "_frombuffer" and len(words) == 4:
        return _array(words[2], words[1], words[0])
    if name == "scalar" and len(words) == 2:
        return _array((1,), words[0], words[1])
    raise Refused(f"a call of {name}")


def _set_state(target, state):
    if isinstance(target, _Array) and len(_checked(state, tuple)) == 5:
        made = _array(state[1], state[2], state[4])
        target.code, target.data = made.code, made.data
    elif not isinstance(target, _Kind):
        raise Refused("a state for something that has none")


def _array(shape, kind, data):
    if len(_checked(shape, tuple)) not in (1, 2):
        raise Refused(f"an array of {len(shape)} dimensions")
    count = math.prod(_checked(side, int) for side in shape)
    if count != len(_checked(data, bytes)):
        raise Refused(f"an array of {count} bytes with {len(data)}")
    return _Array(_checked(kind, _Kind).code, data)


def _checked(value, kind):
    if not isinstance(value, kind):
        raise Refused(f"{type(value).__name__} where {kind.__name__} must stand")
    return value
