"""The simulation of benchmarks/evaluation.py draws what it says."""

import json

import numpy as np
import pytest
from scipy.special import ndtri

from benchmarks import evaluation


def test_the_distance_of_two_equal_normals_is_known():
    assert evaluation.mean_distance(0.93, 0.0) == pytest.approx(2 * ndtri(0.93), abs=1e-5)


def test_scores_have_the_moments_of_the_formula():
    """Impostors share u with their neighbour in a ring: correlation r / 2; genuine scores have variance 1 + r."""
    count, share = 40_000, 0.6
    ring = np.stack([np.arange(count), (np.arange(count) + 1) % count], axis=1)
    people = np.concatenate([ring, np.stack([np.arange(count)] * 2, axis=1)])
    same = np.arange(2 * count) >= count
    scores = evaluation.draw_scores(np.random.default_rng(0), people, same, distance=3.0, share=share)
    impostor, genuine = scores[~same], scores[same]
    assert (impostor.mean(), impostor.var()) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.03))
    assert (genuine.mean(), genuine.var()) == (pytest.approx(3, abs=0.03), pytest.approx(1 + share, abs=0.04))
    assert np.corrcoef(impostor, np.roll(impostor, 1))[0, 1] == pytest.approx(share / 2, abs=0.02)


def test_the_last_line_is_one_json_object(tmp_path, capsys):
    lines = [f"p{fold}{pair}/{a},{'p' if pair % 2 else 'q'}{fold}{pair}/{a + 1},{pair % 2},{fold}\n"
             for fold in range(4) for pair in range(20) for a in (1, 5)]
    (tmp_path / "pairs.csv").write_text("a,b,same,fold\n" + "".join(lines))
    assert evaluation.main(["--pairs", str(tmp_path / "pairs.csv"), "--trials", "5", "--rounds", "1"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 <= found["coverage_min"] <= found["coverage_max"] <= 1
    assert (found["num_pairs"], found["num_people"]) == (160, 120)
    assert len(found["coverage"]) == 6
