import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords import manifest


def test_round_trip(tmp_path):
    rows = [
        manifest.Row("a b/ä\n1.jpg", 0, "aligned", "", 0.998765, tuple(x / 64 for x in range(10)), 0, 3),
        manifest.Row('c/"x",y.png', 1, "fallback", "no face", None, None),
        manifest.Row("c/z.png", 1, "failed", "truncated, at byte 3"),
    ]
    manifest.write_manifest(tmp_path / "m.csv", rows)
    assert manifest.read_manifest(tmp_path / "m.csv") == rows


@pytest.mark.parametrize(("text", "words"), [("key,label\n", "no manifest"), ("", "no manifest")])
def test_other_files_are_refused(tmp_path, text, words):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        manifest.read_manifest(tmp_path / "m.csv")


def test_a_wrong_row_is_named(tmp_path):
    manifest.write_manifest(tmp_path / "m.csv", [manifest.Row("a/b", 0, "aligned")])
    with open(tmp_path / "m.csv", "a") as file:
        file.write("a/c,0,lost\n")
    with pytest.raises(ValueError, match=r"line 3: not a manifest row"):
        manifest.read_manifest(tmp_path / "m.csv")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escape(name):
    assert manifest.unescape(manifest.escape(name)) == name
    assert "\n" not in manifest.escape(name)


def test_classes_round_trip(tmp_path):
    names = ["a", "b\nc", "d\\n", " e ", "ü"]
    manifest.write_classes(tmp_path / "c.txt", names)
    assert manifest.read_classes(tmp_path / "c.txt") == names
    assert (tmp_path / "c.txt").read_text().count("\n") == 5
