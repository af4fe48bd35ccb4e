import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from base import settings
from base.checks import require


@dataclass(frozen=True)
class Loss:
    """The loss."""

    name: str = "amsoftmax"
    """Its name."""
    params: dict[str, int | float | bool | str] = field(default_factory=dict)
    """Its parameters."""


@dataclass(frozen=True)
class Config:
    """A small configuration."""

    rate: float = 0.1
    """Learning rate, above 0."""
    runs: list[str] = field(default_factory=list)
    """Run folders."""
    loss: Loss = field(default_factory=Loss)

    def __post_init__(self):
        require(self.rate > 0, "rate", self.rate, "above 0")


def parse(*argv, **options):
    return settings.parse(Config, list(argv), "prog", **options)


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as stop:
        parse(*argv)
    assert stop.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith("prog: ")
    assert text.count("\n") == 1
    return text


def preset(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_options_beat_later_presets_beat_earlier_ones(tmp_path):
    a = preset(tmp_path, "a.yaml", "rate: 1e-4\nloss: {params: {margin: 0.5}}\n")
    b = preset(tmp_path, "b.yaml", "rate: 0.2\n")
    assert parse(a).rate == 1e-4
    assert parse(a, b).rate == 0.2
    both = parse(a, b, "--rate", "0.3", "--loss.params.scale", "24")
    assert both.rate == 0.3
    assert both.loss.params == {"margin": 0.5, "scale": 24}


def test_params_are_dropped_with_their_loss(tmp_path):
    a = preset(tmp_path, "a.yaml", "loss: {name: amsoftmax, params: {margin: 0.5}}\n")
    b = preset(tmp_path, "b.yaml", "loss: {name: softmax}\n")
    assert parse(a, "--loss.name", "softmax").loss.params == {}
    assert parse(a, b).loss.params == {}
    assert parse(a, "--loss.name=softmax", "--loss.params.bias", "true").loss.params == {"bias": True}
    assert parse(a, "--loss.name", "amsoftmax").loss.params == {"margin": 0.5}


def test_leading_words_fill_a_list():
    assert parse("r1", "r 2", "--rate", "1", leading="runs").runs == ["r1", "r 2"]


@pytest.mark.parametrize(("argv", "words"), [
    (("--rat", "1"), "Did you mean 'rate'"),
    (("--loss.nam", "x"), "Did you mean 'loss.name'"),
    (("--rate", "fast"), "fast"),
    (("--rate", "-1"), "rate is -1.0, expected above 0"),
    (("--rate", "nan"), "nan"),
    (("missing.yaml",), "there is no preset 'missing.yaml'"),
])
def test_wrong_words(capsys, argv, words):
    assert words in refused(capsys, *argv)


@pytest.mark.parametrize(("text", "words"), [
    ("rat: 1\n", "a.yaml"), ("rate: fast\n", "a.yaml"), ("rate: [\n", "a.yaml"), ("rate: -1\n", "rate is -1"),
])
def test_wrong_presets_are_named(tmp_path, capsys, text, words):
    assert words in refused(capsys, preset(tmp_path, "a.yaml", text))


@pytest.mark.parametrize("words", [("--runs", "a", "b c"), ("--runs", "[a, b c]")])
def test_lists_take_several_words(words):
    assert parse(*words, "--rate", "0.5") == Config(rate=0.5, runs=["a", "b c"])
    assert parse("--runs", "a").runs == ["a"]


def test_help_shows_type_default_and_sentence(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = capsys.readouterr().out
    assert "Learning rate, above 0." in text
    assert "type: float, default: 0.1" in text


def test_a_mistake_is_one_sentence_and_a_defect_keeps_its_traceback(capsys):
    @settings.command("prog")
    def mistake(argv):
        raise FileNotFoundError("there is no folder 'x'")

    @settings.command("prog")
    def stopped(argv):
        raise KeyboardInterrupt

    @settings.command("prog")
    def defect(argv):
        return dataclasses.replace(3)

    assert mistake([]) == 2
    assert capsys.readouterr().err == "prog: there is no folder 'x'\n"
    assert stopped([]) == 130
    with pytest.raises(TypeError):
        defect([])


def test_what_frozen_and_compiled_code_raises_is_a_defect(tmp_path, monkeypatch):
    """It has no path of its own, which must not be taken for one in the working directory."""
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    monkeypatch.chdir(Path(settings.__file__).parents[1])
    slips = ((lambda: (tmp_path / "latin").read_text(encoding="utf-8"), "can't decode"),
             (lambda: np.random.default_rng(0).choice(3, 5, replace=False), "larger sample"))
    for slip, words in slips:
        with pytest.raises(ValueError, match=words):
            settings.command("prog")(lambda argv, slip=slip: slip())([])
