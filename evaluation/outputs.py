"""What an evaluation leaves in the run folder: results, charts and pages, each file whole or not at all."""

from pathlib import Path

from base.files import atomic_json, atomic_text, atomic_write
from evaluation import plots
from evaluation.compare import compare
from evaluation.page import comparison_page, run_page
from evaluation.report import protocol


def output_folder(run, folder, fusion="flip_concatenate"):
    """Returns RUN/evaluations/BENCHMARK-DIGEST, where what a run shows on a benchmark is kept.

    A fusion other than the usual one has a folder of its own, with its name at the end.
    """
    ending = "" if fusion == "flip_concatenate" else f"-{fusion}"
    return Path(run) / "evaluations" / f"{folder.name}-{folder.digest[:8]}{ending}"


def write_report(run, scored):
    """Writes results.json, roc.png, det.png, scores.png, thresholds.png and report.html into `output_folder`.

    Args:
        run: the run folder.
        scored: Scored (`evaluation.benchmark`).

    Returns:
        Path of report.html.
    """
    path = output_folder(run, scored.folder, scored.result["fusion"])
    label = Path(run).resolve().name
    path.mkdir(parents=True, exist_ok=True)
    atomic_json(path / "results.json", scored.result)
    charts = run_charts(label, scored)
    _write_charts(path, charts)
    atomic_text(path / "report.html", run_page(label, scored, dict(zip(_WORDS, charts.values(), strict=True))))
    return path / "report.html"


def run_charts(label, scored):
    """Draws all charts of one model on one benchmark: dict of file name -> PNG bytes."""
    result, same = scored.result, scored.pairs.same
    title = protocol(result)
    return {
        "roc.png": plots.roc_chart({label: result}, title=title),
        "det.png": plots.det_chart({label: result}, title=title),
        "scores.png": plots.score_chart(scored.scores, same, result["best_threshold_no_folds"]["threshold"],
                                        title=title),
        "thresholds.png": plots.threshold_chart(scored.scores, same, result["tar"], title=title),
    }


def write_comparison(run, scored):
    """Compares models; writes comparison.json, comparison.html and comparison-roc.png and -det.png in `output_folder`.

    Args:
        run: the run folder that keeps them.
        scored: dict of label -> Scored, at least two, all on one benchmark.

    Returns:
        (what `evaluation.compare.compare` returned, path of comparison.html).
    """
    comparison = compare(scored)
    first = next(iter(scored.values()))
    path = output_folder(run, first.folder, first.result["fusion"])
    path.mkdir(parents=True, exist_ok=True)
    atomic_json(path / "comparison.json", comparison)
    results = {label: one.result for label, one in scored.items()}
    title = protocol(next(iter(results.values())))
    charts = {"comparison-roc.png": plots.roc_chart(results, title=title),
              "comparison-det.png": plots.det_chart(results, title=title)}
    _write_charts(path, charts)
    atomic_text(path / "comparison.html",
                comparison_page(scored, comparison, dict(zip(_WORDS, charts.values(), strict=False))))
    return comparison, path / "comparison.html"


_WORDS = ("ROC: TAR against FAR", "DET: FRR against FAR", "Scores of genuine and impostor pairs",
          "FAR and FRR against the threshold")


def _write_charts(path, charts):
    for name, data in charts.items():
        with atomic_write(path / name) as file:
            file.write(data)
