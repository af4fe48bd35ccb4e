"""Do the tests of the losses notice a changed operator? Mutants of losses/, one by one. Last line: one JSON object.

python benchmarks/mutants.py [--sample 120] [--seed 0] [--only FILE] [--list] [--work FOLDER]

A mutant is one change in the syntax tree of one file of losses/ (benchmarks/changes.py); texts and annotations stay. A
sample is drawn by its seed, each file in proportion to its mutants. Each mutant runs against tests/losses in a process
forked from one that has imported TensorFlow: its own test file and the registry's, which takes a second, test_contract,
test_goldens, the rest. The first failure, an import that fails, a crash or the time limit means caught. The test in JAX
is left out: it takes more than ten seconds a run and repeats the others. The changed text lives in memory alone: no
file of the project is written. An interrupted run goes on where it was. Exit code 1 where less than 95 % are caught;
equivalent mutants (EQUIVALENT, argued) do not count.
"""

import argparse
import ast
import hashlib
import importlib.abc
import importlib.util
import json
import linecache
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/mutants.py` works as well

from base.checks import SettingsError, near_names, require  # noqa: E402 - after the path is set
from base.environment import prepare, processor  # noqa: E402
from base.files import atomic_text  # noqa: E402
from benchmarks.changes import mutants, sample  # noqa: E402

WANTED, MOST_EQUIVALENT = 0.95, 0.10
TESTS = "tests/losses"
ON_JAX = f"{TESTS}/test_goldens.py::test_everything_on_jax"
_READ = ("losses", TESTS, "tests/goldens", "tests/parity", "tests/conftest.py", "base")
_MEMORY = 8 * 2**30
"""Bytes a mutant's process may add; a mutant may ask for any number."""


class Equivalent(NamedTuple):
    """A mutant that no test can tell from the original, and why."""

    file: str
    before: str
    after: str
    why: str


EQUIVALENT = (
    Equivalent("losses/reduce.py",
               "return ops.where(is_alone, float('-inf'), peak + ops.log(ops.where(is_alone, 1.0, total)))",
               "return ops.where(is_alone, float('-inf'), peak + ops.log(ops.where(is_alone, 0.0, total)))",
               "The number stands where the outer `where` takes -inf, and the inner one stops its gradient."),
    Equivalent("losses/scale.py",
               "return brentq(excess, least, math.log(num_classes - 1) / cosine, xtol=1e-13, rtol=1e-15)",
               "return brentq(excess, least, math.log(num_classes + 1) / cosine, xtol=1e-13, rtol=1e-15)",
               "The upper end of a search: the left side rises from `least` on, so any end above the root finds it."),
    Equivalent("losses/triplet.py",
               "is_farther = ops.logical_and(ops.expand_dims(is_negative, 1), "
               "negatives > ops.expand_dims(distance, 2))",
               "is_farther = ops.logical_and(ops.expand_dims(is_negative, 0), "
               "negatives > ops.expand_dims(distance, 2))",
               "The positive's others in place of the anchor's: a valid pair has one label, so they are the same."),
    Equivalent("losses/triplet.py",
               "is_valid = ops.logical_and(ops.any(is_positive, axis=1), ops.any(is_negative, axis=1))",
               "is_valid = ops.logical_and(ops.any(is_positive, axis=0), ops.any(is_negative, axis=1))",
               "Who is whose positive is symmetric: a column holds what its row holds."),
    Equivalent("losses/triplet.py",
               "is_valid = ops.logical_and(is_positive, ops.any(is_negative, axis=1, keepdims=True))",
               "is_valid = ops.logical_and(is_positive, ops.any(is_negative, axis=0, keepdims=True))",
               "The positive's others for the anchor's: a pair has one label, so both have some or none."),
    Equivalent("losses/triplet.py",
               "return ops.where(is_zero, 0.0, ops.sqrt(ops.where(is_zero, 1.0, square)))",
               "return ops.where(is_zero, 0.0, ops.sqrt(ops.where(is_zero, 2.0, square)))",
               "The number stands where the outer `where` takes 0: any one above 0 has a finite root and derivative."),
    Equivalent("losses/vectors.py",
               "lengths = ops.sqrt(ops.where(is_zero, 1.0, squares))",
               "lengths = ops.sqrt(ops.where(is_zero, 2.0, squares))",
               "The number stands where the `where` below takes 0: any one above 0 has a finite root and derivative."),
)


def main(argv):
    """Returns the exit code: 0, 1 where too few are caught, 2 where something given does not fit."""
    try:
        return _run(_options(argv))
    except SettingsError as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2


def _run(options):
    drawn = sample(_known(_files(options.only)), options.sample, options.seed)
    if options.list:
        print(*drawn, sep="\n")
        return 0
    check_equivalent(EQUIVALENT, _known(_files(None)))
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    is_caught, equivalent = run_all(drawn, Results(work / "results.jsonl", _digest()))
    share = sum(is_caught) / max(len(is_caught), 1)
    print(json.dumps({"total": len(drawn), "caught": sum(is_caught), "equivalent": equivalent,
                      "caught_share": round(share, 4), "seed": options.seed, "processor": processor()}))
    return int(share < WANTED)


def check_equivalent(entries, known):
    """Raises SettingsError where an entry of EQUIVALENT fits no mutant: its line has changed or gone."""
    there = {mutant[:1] + mutant[2:4] for mutant in known}
    for entry in entries:
        require(tuple(entry[:3]) in there, f"equivalent mutant of {entry.file}", f"{entry.before} -> {entry.after}",
                "a mutant of today's file; correct the entry in benchmarks/mutants.py or take it out")


def run_all(drawn, results):
    """Runs what is not known yet; returns (list of whether each is caught, number of equivalent ones)."""
    argued = {entry[:3] for entry in EQUIVALENT}
    counted = [mutant for mutant in drawn if mutant[:1] + mutant[2:4] not in argued]
    equivalent = len(drawn) - len(counted)
    require(equivalent <= MOST_EQUIVALENT * len(drawn), "equivalent mutants", equivalent,
            f"at most {MOST_EQUIVALENT:.0%} of {len(drawn)}: strengthen the tests instead")
    outcomes = []
    for number, mutant in enumerate(counted, 1):
        outcomes.append(results.of(mutant))
        print(f"{number}/{len(counted)} {outcomes[-1]['by'] or 'SURVIVED'}: {mutant}", file=sys.stderr, flush=True)
    for mutant, outcome in zip(counted, outcomes, strict=True):
        if not outcome["by"]:
            print(f"survived: {mutant}", file=sys.stderr)
    return [bool(outcome["by"]) for outcome in outcomes], equivalent


class Results:
    """What is known of mutants, as lines of JSON in a file; a line counts for the texts it was made from alone."""

    def __init__(self, path, digest):
        self.path, self.digest, self.limit = path, digest, None
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []   # the last may be torn
        self.known = {line["key"]: line for line in map(json.loads, lines)}
        atomic_text(path, "".join(f"{json.dumps(line)}\n" for line in self.known.values()))

    def of(self, mutant):
        """Returns {"by": what caught it, or None, "seconds": ...}; runs it where that is not known."""
        if self._key(mutant) not in self.known:
            if self.limit is None:
                self.limit = self._limit()
            self._add(mutant, run_tests(mutant, self.limit))
        return self.known[self._key(mutant)]

    def _limit(self):
        """Ten times the seconds of all tests without a change, which must pass; two minutes at least."""
        _import_once()
        if self._key(None) not in self.known:
            self._add(None, run_tests(None, 1200))
        found = self.known[self._key(None)]
        require(found["by"] is None, "unchanged losses/", found["by"], f"tests that pass; run ./test.sh {TESTS}")
        return max(120, int(10 * found["seconds"]))

    def _add(self, mutant, outcome):
        require(_digest() == self.digest, "losses/ or its tests", "changed", "files that stay as they are; start again")
        line = {"key": self._key(mutant), "mutant": str(mutant), **outcome}
        self.known[line["key"]] = line
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _key(self, mutant):
        return hashlib.sha256(f"{self.digest} {mutant and mutant.file} {mutant and mutant.source}".encode()).hexdigest()


def run_tests(mutant, limit):
    """Runs the tests in a fork, with the mutant in place of its file; {"by": test or word that caught it, or None}."""
    started = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _in_child(mutant, limit, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    return {"by": _verdict(said, status), "seconds": round(time.monotonic() - started, 1)}


def _verdict(said, status):
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        if name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"):
            raise RuntimeError(f"somebody ended the tests by {name}")
        return "the time limit" if name == "SIGALRM" else name
    found = json.loads(said)
    if "error" in found:
        raise RuntimeError(found["error"])
    return found["by"]


def _in_child(mutant, limit, writing):
    """Runs the tests, says what came of them into the pipe and ends the process."""
    found = {}
    try:
        signal.alarm(limit)   # ends the process whatever it does
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        os.chdir(ROOT)
        found = {"by": _first_failure(mutant)}
    except BaseException:
        found = {"error": traceback.format_exc()}
    finally:
        os.write(writing, json.dumps(found).encode())
        os._exit(0)


def _first_failure(mutant):
    """The name of the first test that fails, or None."""
    import pytest

    if any(name.partition(".")[0] in ("losses", "tests") for name in sys.modules):
        raise RuntimeError("losses or tests are imported before the mutant stands in its place")
    finder = _Finder({mutant.file: mutant.source} if mutant else _unchanged())
    sys.meta_path.insert(0, finder)
    for files in stages(mutant.file if mutant else ""):
        watcher = _Watcher()
        code = pytest.main([*files, "-x", "-q", "--tb=no", f"--deselect={ON_JAX}"], plugins=[watcher])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED,
                        pytest.ExitCode.INTERNAL_ERROR):
            raise RuntimeError(f"pytest ended with {code!r} in {files}")
        if code:
            return watcher.failed or "collection"
    if len(finder.used) != len(finder.texts):
        raise RuntimeError(f"no test imports {finder.texts.keys() - set(map(_module, finder.used))}")
    return None


def stages(file):
    """Lists of test files in the order in which they run: the file's own and the registry's, all losses, the rest."""
    everything = [f"{TESTS}/{path.name}" for path in sorted((ROOT / TESTS).glob("test_*.py"))]
    own = [path for path in everything if path == f"{TESTS}/test_{Path(file).name}"]
    own += [path for path in (f"{TESTS}/test_registry.py",) if path not in own]
    common = [f"{TESTS}/test_contract.py", f"{TESTS}/test_goldens.py"]
    return [files for files in (own, common, [path for path in everything if path not in own + common]) if files]


class _Watcher:
    """A plugin of pytest that keeps the name of the first failure."""

    failed = None

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.failed:
            self.failed = report.nodeid


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives texts {file: text} for the modules of their files."""

    def __init__(self, texts):
        self.texts, self.used = {_module(file): (file, text) for file, text in texts.items()}, set()

    def find_spec(self, name, path, target=None):
        if name not in self.texts:
            return None
        file = ROOT / self.texts[name][0]
        folders = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, file, loader=self, submodule_search_locations=folders)

    def exec_module(self, module):
        """Runs the text, and shows it to those who read the source: TensorFlow traces from it, not from the code.

        Under a name that no file has, or they would read the file.
        """
        file, text = self.texts[module.__name__]
        path = f"{ROOT / file}.mutant"
        linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
        self.used.add(file)
        exec(compile(text, path, "exec"), module.__dict__)


def _module(file):
    parts = Path(file).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _import_once():
    """What every test imports, without an operation: TensorFlow starts its threads at the first, after the fork."""
    prepare()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)   # TensorFlow's notes about machines that have no GPU
        import keras  # noqa: F401
        import pytest  # noqa: F401
        import scipy.optimize  # noqa: F401
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)


def _files(only):
    found = sorted((ROOT / "losses").rglob("*.py"))
    if only is None:
        return found
    names = [path.name for path in found]
    require(Path(only).name in names, "--only", only, f"a file of losses/{near_names(Path(only).name, names)}")
    return [found[names.index(Path(only).name)]]


def _known(files):
    """Every mutant of the files."""
    return [mutant for path in files for mutant in mutants(path.read_text(encoding="utf-8"), _name(path))]


def _unchanged():
    """{file: text} of all of losses/, written as mutants are: so it shows whether that alone fails a test."""
    return {_name(path): ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) for path in _files(None)}


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _digest():
    """Of every text that a result depends on, but this file's."""
    digest = hashlib.sha256()
    for path in sorted(file for name in _READ for file in [ROOT / name, *(ROOT / name).rglob("*")]):
        if path.suffix in (".py", ".json"):
            digest.update(f"{_name(path)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/mutants.py", description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=120, help="mutants to draw (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default %(default)s)")
    parser.add_argument("--only", help="a file of losses/ (default: all)")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    parser.add_argument("--work", default="runs/mutants", help="folder of the results (default %(default)s)")
    options = parser.parse_args(argv)
    require(options.sample >= 1, "--sample", options.sample, "a number of at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
