"""The mutants of a snippet are those that are meant: one change each, texts left alone, drawn by seed."""

import ast
import inspect
import itertools
import json

import pytest

from base.checks import SettingsError
from benchmarks import changes, mutants

SNIPPET = '''"""A sentence of 3 words - or 5."""
LEAST: float = 2.5


def lowered(values: "a + b", easy=False):
    """Returns 1 + 1."""
    if easy and values:
        return ops.where(easy, values, 0)
    raise ValueError(f"{LEAST - 1} is less than 4" * -3)
'''
WANTED = {
    ("LEAST: float = 2.5", "LEAST: float = 3.5"), ("LEAST: float = 2.5", "LEAST: float = 5.0"),
    ("LEAST: float = 2.5", "LEAST: float = 0.0"),
    ("def lowered(values: 'a + b', easy=False):", "def lowered(values: 'a + b', easy=True):"),
    ("if easy and values:", "if easy or values:"), ("if easy and values:", "if not (easy and values):"),
    ("return ops.where(easy, values, 0)", "return ops.where(easy, 0, values)"),
    ("return ops.where(easy, values, 0)", "return ops.where(easy, values, 1)"),
}


def changed(source):
    """What becomes of one line."""
    return [mutant.after for mutant in changes.mutants(source, "snippet.py")]


def test_the_mutants_of_a_snippet():
    found = changes.mutants(SNIPPET, "snippet.py")
    message = "raise ValueError(f'{LEAST - 1} is less than 4' * -3)"
    assert {(mutant.before, mutant.after) for mutant in found if mutant.before != message} == WANTED
    assert [mutant.after[mutant.after.index("4'") + 2:] for mutant in found if mutant.before == message] == [
        " / -3)", " * 3)", " * -4)", " * -6)", " * -0)"]
    assert {(mutant.line, mutant.before.split()[0]) for mutant in found} == {
        (2, "LEAST:"), (5, "def"), (7, "if"), (8, "return"), (9, "raise")}


@pytest.mark.parametrize(("source", "wanted"), [
    ("a + b - c", ["a + b + c", "a - b - c"]), ("a * b", ["a / b"]), ("a // b", ["a * b"]), ("a ** b", ["a * b"]),
    ("a *= b", ["a /= b"]), ("-a", ["a"]), ("not a", ["a"]), ("a or b", ["a and b"]), ("a < b", ["a <= b", "a >= b"]),
    ("a < b <= c", ["a <= b <= c", "a >= b <= c", "a < b < c", "a < b > c"]), ("a == b", ["a != b"]),
    ("a in b", ["a not in b"]), ("a is not b", ["a is b"]), ("0", ["1"]), ("1", ["2", "0"]), ("True", ["False"]),
    ("None", []), ("...", []), ("'1 + 1'", []), ("f'{a + 1:.3f}'", []), ("a if b else c", ["c if b else a"]),
    ("a if not b else c", ["a if b else c"]), ("ops.maximum(a, b)", ["ops.minimum(a, b)"]), ("max(a)", ["min(a)"]),
    ("ops.argmax(a)", ["ops.argmin(a)"]), ("ops.stop_gradient(a)", ["a"]), ("ops.logical_not(a)", ["a"]),
    ("ops.where(a > b, c, d)", ["ops.where(a >= b, c, d)", "ops.where(a <= b, c, d)"]), ("int | float", []),
])
def test_each_change(source, wanted):
    assert changed(source) == wanted


@pytest.mark.parametrize("name", ["losses/angle.py", "losses/reduce.py", "losses/registry.py"])
def test_mutants_of_a_real_file_compile_differ_in_one_place_and_keep_every_text(name):
    source = (mutants.ROOT / name).read_text(encoding="utf-8")
    found, original = changes.mutants(source, name), ast.unparse(ast.parse(source))
    assert ast.dump(ast.parse(original)) == ast.dump(ast.parse(source))
    assert len({mutant.source for mutant in found}) > 0.95 * len(found) > 5
    for mutant in found:
        compile(mutant.source, name, "exec")
        pairs = itertools.zip_longest(original.split("\n"), mutant.source.rstrip("\n").split("\n"))
        assert [(before.strip(), after.strip()) for before, after in pairs if before != after] == [
            (mutant.before, mutant.after)]
        assert texts(mutant.source) == texts(source)


def texts(source):
    return [node.value for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_a_sample_is_drawn_by_seed_and_spread_over_the_files():
    known = [changes.Mutant(f"losses/{file}.py", line, "a", "b", "") for file, count in (("x", 60), ("y", 39), ("z", 1))
             for line in range(count)]
    first = changes.sample(known, 10, 0)
    assert first == changes.sample(known, 10, 0)
    assert first != changes.sample(known, 10, 1)
    assert [sum(mutant.file == f"losses/{file}.py" for mutant in first) for file in "xyz"] == [6, 4, 0]
    assert len(set(first)) == 10
    assert sorted(changes.sample(known, 1000, 3)) == sorted(known)


def test_equivalent_mutants_are_today_s_and_argued():
    known = mutants._known({mutants.ROOT / entry.file for entry in mutants.EQUIVALENT})
    mutants.check_equivalent(mutants.EQUIVALENT, known)
    assert all(len(entry.why.split()) > 5 for entry in mutants.EQUIVALENT)
    assert len(set(mutants.EQUIVALENT)) == len(mutants.EQUIVALENT)
    gone = mutants.Equivalent("losses/angle.py", "x = 1", "x = 2", "because")
    with pytest.raises(SettingsError, match=r"equivalent mutant of losses/angle\.py is 'x = 1 -> x = 2', expected"):
        mutants.check_equivalent([gone], known)


def test_own_tests_come_first_and_all_come_once():
    own, common, rest = mutants.stages("losses/arcface.py")
    assert own == ["tests/losses/test_arcface.py", "tests/losses/test_registry.py"]
    assert [path.rpartition("/")[2] for path in common] == ["test_contract.py", "test_goldens.py"]
    everything = sorted(f"tests/losses/{path.name}" for path in (mutants.ROOT / "tests/losses").glob("test_*.py"))
    assert sorted(own + common + rest) == everything


def test_the_module_of_the_file_is_the_mutant_and_no_other(monkeypatch):
    monkeypatch.setattr(mutants.linecache, "cache", {})
    for file, name, is_package in (("losses/angle.py", "losses.angle", False), ("losses/__init__.py", "losses", True)):
        finder = mutants._Finder({file: "VALUE = 7\n\n\ndef seven():\n    return VALUE\n"})
        spec = finder.find_spec(name, None)
        assert (spec.submodule_search_locations is not None) == is_package
        assert spec.origin == str(mutants.ROOT / file)
        assert finder.find_spec("losses.other", None) is None
        module = type(ast)(name)
        finder.exec_module(module)
        assert (module.seven(), finder.used) == (7, {file})
        assert inspect.getsource(module.seven) == "def seven():\n    return VALUE\n"   # TensorFlow reads it


def test_results_count_for_the_same_texts_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "_import_once", lambda: None)
    monkeypatch.setattr(mutants, "run_tests", lambda mutant, limit: {"by": mutant and "a test", "seconds": 1.0})
    path, digest, mutant = tmp_path / "results.jsonl", mutants._digest(), changes.Mutant("a", 1, "b", "c", "d")
    assert mutants.Results(path, digest).of(mutant)["by"] == "a test"
    monkeypatch.setattr(mutants, "run_tests", None)                       # is not called again
    with open(path, "a") as file:
        file.write('{"torn')
    assert mutants.Results(path, digest).of(mutant)["by"] == "a test"
    assert [json.loads(line)["mutant"] for line in path.read_text().splitlines()] == ["None", str(mutant)]
    with pytest.raises(SettingsError, match="losses/ or its tests is 'changed'"):
        mutants.Results(path, "other")._add(mutant, {})


@pytest.mark.parametrize(("words", "message"), [
    (["--only", "arcfase.py"], "--only is 'arcfase.py', expected a file of losses/. Did you mean 'arcface.py'?"),
    (["--sample", "0"], "--sample is 0, expected a number of at least 1"),
])
def test_mistakes_are_named(words, message, capsys):
    assert mutants.main(words) == 2
    assert message in capsys.readouterr().err


def test_a_list_runs_nothing(capsys):
    assert mutants.main(["--only", "normface.py", "--list", "--sample", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("losses/normface.py:") for line in lines)
