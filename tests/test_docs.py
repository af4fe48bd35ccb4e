"""The pages on losses say what the code does: names, parameters, pictures, numbers; what they show runs."""

import math
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import losses
from benchmarks import loss_pictures
from losses.l2softmax import alpha_low
from losses.normface import lower_bound
from losses.registry import LOSSES, build, names
from losses.scale import adaptive_scale
from tests.losses import test_contract
from tests.losses.test_scale import TABLE
from tests.parameter_tables import MARK, SHARED, renewed, table

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LOSSES_PAGE = (ROOT / "docs" / "losses.md").read_text(encoding="utf-8")
ADDING_PAGE = (ROOT / "docs" / "adding-a-loss.md").read_text(encoding="utf-8")


def blocks(text, language):
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """What GitHub calls the headings of a page."""
    without_blocks = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", without_blocks, flags=re.MULTILINE)}


DOCUMENTED = sorted(re.findall(r"^### `(\w+)`$", LOSSES_PAGE, flags=re.MULTILINE))
"""What has a section: a loss may come with its three files alone and have its pages later, but none may go."""


def test_every_section_is_of_a_loss_and_has_a_row_in_the_placement_table():
    assert set(DOCUMENTED) <= set(names())
    assert len(DOCUMENTED) == len(set(DOCUMENTED)) >= 23
    placement = LOSSES_PAGE.partition("## Placement")[2].partition("\n## ")[0]
    first_cells = " ".join(line.split("|")[1] for line in placement.splitlines() if line.startswith("| `"))
    assert sorted(re.findall(r"`(\w+)`", first_cells)) == DOCUMENTED


def test_parameters_and_defaults_are_the_codes():
    """`python -m tests.parameter_tables` renews them."""
    found = {name: lines.splitlines() for _, name, lines in MARK.findall(LOSSES_PAGE)}
    assert found == {name: table(name) for name in [*DOCUMENTED, *SHARED]}
    assert renewed(LOSSES_PAGE) == LOSSES_PAGE
    listed = {name: re.findall(r"^\| `(\w+)`", "\n".join(lines), flags=re.MULTILINE) for name, lines in found.items()}
    for name in DOCUMENTED:
        shared = [field for heading in SHARED if f"(#{heading})" in "".join(found[name]) for field in listed[heading]]
        assert set(listed[name] + shared) == set(losses.registry.parameters(name))


def test_links_lead_somewhere_and_pictures_are_shown():
    shown = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if not target.startswith("https://"):
                path, _, anchor = target.partition("#")
                found = (page.parent / path).resolve() if path else page
                assert found.is_file(), f"{page.name}: {target}"
                assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), f"{page.name}: {target}"
                shown.add(found)
    pictures = set((ROOT / "docs" / "losses").iterdir())
    assert pictures - shown == set()
    assert {path.stem for path in pictures} == {name for name in DOCUMENTED if isinstance(build(name), losses.Loss)} | {
        "adaptive_scale", "embeddings_2d"}
    assert sum(path.stat().st_size for path in pictures) < 600_000


def test_readme_lists_every_loss_and_says_where_it_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Networks and losses")[2].partition("\n## ")[0]
    rows = [line for line in text.partition("Losses, each")[2].splitlines() if line.startswith("| `")]
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == DOCUMENTED
    elsewhere = dict(re.findall(r"`(\w+)` in `(losses/\w+\.py)`", text))
    for name in DOCUMENTED:
        home = LOSSES[name]
        assert elsewhere.get(name, f"losses/{name}.py") == f"{home.partition(':')[0].replace('.', '/')}.py"


@pytest.mark.filterwarnings(   # Keras 3.15 turns a TensorFlow variable into an array so, when a model is saved
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_the_blocks_run_and_print_the_table_of_the_adaptive_scale(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)                       # one of them saves a model
    shared = {}
    for block in blocks(LOSSES_PAGE, "python"):
        exec(compile(block, "docs/losses.md", "exec"), shared)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(printed) == 6
    assert "\n".join(printed) in LOSSES_PAGE
    np.testing.assert_allclose(shared["margins"], [0.5, 0.212, 0.05], atol=5e-4)
    assert shared["logits"].shape == (20, 5)
    golden = {row["classes"]: row for row in TABLE if row["angle_deg"] == 45}
    for line in printed:
        classes, half, exact = (cell.strip().replace(",", "") for cell in line.strip("|").split("|"))
        assert float(half) == pytest.approx(golden[int(classes)]["approx"], abs=1e-6)
        assert exact == "none" or float(exact) == pytest.approx(golden[int(classes)]["exact_upper"], abs=1e-6)


def test_every_picture_can_be_drawn():
    """Its curves, that is; `benchmarks/loss_pictures.py` writes them."""
    theta = np.radians(loss_pictures.angles())
    shown, value, slope = loss_pictures.curves("amsoftmax", loss_pictures.Line("", {"margin": 0.2}))
    np.testing.assert_allclose(shown, np.cos(theta) - 0.2, atol=1e-12)
    np.testing.assert_allclose(np.gradient(value, theta)[2:-2], slope[2:-2], rtol=0.02, atol=1e-3)
    for name, lines in {**loss_pictures.LINES, "arcface": loss_pictures.PLAIN}.items():
        for line in lines:
            for curve in loss_pictures.curves(name, line):
                assert curve.shape == theta.shape
                assert np.isfinite(curve).all()


def test_where_the_picture_of_the_adaptive_scale_has_its_dots():
    degrees = re.search(r"P″ = 0: at ([\d., and]+) degrees", LOSSES_PAGE)[1].replace(" and", ",").split(", ")
    for scale, angle in zip((4.0, adaptive_scale(10_575), 30.0, 64.0), map(float, degrees), strict=True):
        theta = np.radians(angle + np.array([-0.1, 0.1]))
        p = 1 / (1 + 10_574 * np.exp(-scale * np.cos(theta)))
        bend = np.cos(theta) + scale * (2 * p - 1) * np.sin(theta)**2
        assert bend[0] * bend[1] < 0


@pytest.mark.parametrize(("said", "value"), [
    ("probability p: {:.2f} for C = 10,572 and p = 0.9", lambda: alpha_low(10_572)),
    ("{:.2f} at s = 1, 0.021 at s = 13.1, for C = 10,575", lambda: lower_bound(10_575, 1)),
    ("at s = 1, {:.3f} at s = 13.1", lambda: lower_bound(10_575, adaptive_scale(10_575))),
    ("bound ({:.1f} for the defaults)", lambda: losses.MagFace().bound()),
    ("(a = −1 at s = 32: {:.4f})", lambda: math.log(2) / 32), ("is a = −{:,.1f}.", lambda: math.exp(30 * 0.35) - 1),
    ("first bias, {:.2f} for 10,572", lambda: math.log(105_720)), ("b / s = {:.2f}", lambda: math.log(105_720) / 64),
    ("m = 0.4 it is {:.2f} even at angle 0",
     lambda: math.log1p(10_574 * math.exp(-0.6 * adaptive_scale(10_575)))),
    ("end (step {:,})", lambda: next(step + 1 for step in range(5000) if losses.SphereFace().annealing(step) <= 5)),
    ("they part at {:.0f} degrees, `easy`", lambda: math.degrees(math.pi - 0.5)),
    ("not at all beyond {:.0f} degrees", lambda: math.degrees(math.pi - 1e-3 - 0.4)),
])
def test_numbers_in_the_text(said, value):
    assert said.format(value()) in re.sub(r"\s+", " ", LOSSES_PAGE)


MISTAKES = {
    "amsoftmx": lambda: build("amsoftmx"),
    "28.6": lambda: build("arcface", {"margin": 28.6}),
    "Triplet": lambda: losses.Head(losses.Triplet(), 10),
    "counts": lambda: losses.Head(losses.ArcFace(class_margins="range"), 10),
    "every": lambda: losses.Head(losses.RandomSoftmax(), 10),
    "0.2, 0.4": lambda: losses.AMSoftmax(margin=[0.2, 0.4]),
    "label 10": lambda: losses.Head(losses.ArcFace(), 10)(np.ones((1, 4), np.float32), np.array([10])),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_as_the_page_says(mistake):
    rows = LOSSES_PAGE.partition("## Mistakes")[2].partition("\n## ")[0].splitlines()
    [row] = [row for row in rows if row.startswith("| ") and mistake in row]
    told = row.split("|")[2].partition(";")[0].strip()
    with pytest.raises(ValueError) as caught:   # noqa: PT011 - what it says is compared below
        MISTAKES[mistake]()
    words = re.escape(told).replace(re.escape("..."), ".*")
    assert re.search(words, str(caught.value)), (told, str(caught.value))


@pytest.fixture
def added(monkeypatch):
    """What docs/adding-a-loss.md adds: (name, module of the loss, module of its test), the registry knowing it."""
    files = {}
    for block in blocks(ADDING_PAGE, "diff"):
        path = re.search(r"^\+\+\+ b/(.+)$", block, flags=re.MULTILINE)[1]
        hunk, *files[path] = block.splitlines()[2:]
        old, new = map(int, re.fullmatch(r"@@ -\d+,(\d+) \+\d+,(\d+) @@", hunk).groups())
        assert new == len(files[path])                # none is removed
        assert old == sum(line.startswith(" ") for line in files[path])
    assert sorted(files) == ["losses/liarcface.py", "losses/registry.py", "tests/losses/test_liarcface.py"]
    before, line, after = files["losses/registry.py"]
    registry = (ROOT / "losses" / "registry.py").read_text(encoding="utf-8")
    assert f"{before[1:]}\n{after[1:]}\n" in registry
    name, home = re.fullmatch(r'\+    "(\w+)": "([\w.:]+)",', line).groups()
    monkeypatch.setitem(LOSSES, name, home)
    modules = []
    for path in ("losses/liarcface.py", "tests/losses/test_liarcface.py"):
        assert all(each.startswith("+") for each in files[path])
        assert max(map(len, files[path])) <= 121
        module = types.ModuleType(path.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        source = "\n".join(each[1:] for each in files[path])
        exec(compile(source, path, "exec"), vars(module))
        modules.append(module)
    return name, *modules


def test_the_loss_that_the_page_adds_keeps_every_promise(added):
    name, _, module = added
    assert losses.registry.describe(build(name, {"margin": 0.3}))[0] == name
    for loss in module.VARIANTS:
        for rows in ("wrap", "hardneg", "norms"):
            test_contract.test_the_papers_formula_row_by_row(loss, module.by_hand, rows)
        for promise in ("three_uneven_parts_equal_the_whole", "permuting_classes_permutes_nothing_else",
                        "gradients_are_finite_at_both_ends_and_beyond",
                        "a_zero_embedding_and_a_zero_center_have_no_gradient"):
            getattr(test_contract, f"test_{promise}")(loss)


def test_the_test_that_the_page_adds_passes(added):
    _, _, module = added
    ran = 0
    for test in [value for key, value in vars(module).items() if key.startswith("test_")]:
        marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
        for values in marks[0].args[1] if marks else [()]:
            test(*values)
            ran += 1
    assert ran == 6


def test_the_page_is_about_a_loss_that_is_not_there():
    assert "liarcface" not in names()
