"""Pages about evaluations, each one HTML file that needs nothing beside it; and the pieces that other pages share."""

import base64
import html
from string import Template

import cv2
import numpy as np

from evaluation.report import comparison_columns, comparison_title, labels, protocol, result_columns

_MOST, _GAP = 8, 4   # pairs of a kind shown; pixels between the crops of a pair


def run_page(label, scored, charts):
    """Makes the page of one model on one benchmark.

    Args:
        label: the run's name.
        scored: Scored (`evaluation.benchmark`).
        charts: dict of what it shows -> PNG bytes.
    """
    result = scored.result
    low, high = result["interval95"]
    facts = {"model.keras, sha256": result.get("model_sha256"), "benchmark, digest": result["digest"],
             "crops": f"{result['num_crops']:,}",
             **{f"crops made with {name}": _plain(value) for name, value in result["recipe"].items()}}
    facts = {name: value for name, value in facts.items() if value is not None}
    return document(f"{label} on {result['benchmark']}", f"""
<p class="big">{result['accuracy']:.2%}</p>
<p>{html.escape(protocol(result))}. Mean accuracy of the folds, each at the threshold that the others gave;
95 % interval by folds {low:.2%} to {high:.2%}.</p>
{table_of(result_columns({label: result}))}
<h2>Curves</h2>
{chart_rows(charts)}
<h2>Where it errs</h2>
{hardest_pairs(scored, same=False)}
{hardest_pairs(scored, same=True)}
<h2>What was measured</h2>
{table_of({"": facts})}""")


def comparison_page(scored, comparison, charts):
    """Makes the page of several models on one benchmark.

    Args:
        scored: dict of label -> Scored.
        comparison: what `evaluation.compare.compare` returned of it.
        charts: dict of what it shows -> PNG bytes.
    """
    results = {label: one.result for label, one in scored.items()}
    note = f"<p><strong>{html.escape(comparison['note'])}.</strong></p>" if comparison["note"] else ""
    return document(f"{len(results)} models on {comparison['benchmark']}", f"""
<p>{html.escape(protocol(next(iter(results.values()))))}</p>
{table_of(result_columns(results))}
<h2>{html.escape(comparison_title(comparison))}</h2>
<p>The sign-flip test over folds decides, since pairs share people and folds do not; McNemar's test stands beside it.
Training again with another seed often changes more than these intervals say: they are of these models alone.</p>
{note}
{table_of(comparison_columns(comparison))}
<h2>Curves</h2>
{chart_rows(charts)}
{''.join(_only_wrong(scored, comparison["best"], label) for label in scored if label != comparison["best"])}""")


def document(title, body):
    """Makes a whole page of a title (text) and a body (HTML)."""
    return _DOCUMENT.substitute(title=html.escape(title), body=body)


def table_of(columns):
    """HTML of columns as `evaluation.report.result_columns` makes them: name -> {label: value}."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    lines = [f"<tr><th></th>{head}</tr>"] if any(columns) else []
    for label in labels(columns):
        kind = ' class="sub"' if label.startswith(" ") else ""
        cells = "".join(f"<td>{html.escape(column.get(label, ''))}</td>" for column in columns.values())
        lines.append(f"<tr><th{kind}>{html.escape(label.strip())}</th>{cells}</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def chart_rows(charts):
    """HTML of charts, two a row: dict of alternative text -> PNG bytes."""
    return f'<div class="two">{"".join(f"<div>{picture(data, alt)}</div>" for alt, data in charts.items())}</div>'


def hardest_pairs(scored, *, same):
    """HTML of the pairs of a kind that are most like the other kind, with scores and keys; unreadable ones left out.

    Args:
        scored: Scored (`evaluation.benchmark`).
        same: True for genuine pairs with the lowest scores, False for impostor pairs with the highest.
    """
    kind = (scored.pairs.same == same) & ~scored.pairs.unreadable
    num_wrong = int((kind & ~scored.is_right).sum())
    places = np.flatnonzero(kind)
    places = places[np.argsort(scored.scores[places] * (1 if same else -1), kind="stable")][:_MOST]
    name, error, end = (("genuine", "reject", "lowest") if same else ("impostor", "accept", "highest"))
    return (f"<p>False {error}s: {num_wrong:,} of {int(kind.sum()):,} {name} pairs are {error}ed, each at the "
            f"threshold of its fold. Those with the {end} scores:</p>{pair_pictures(scored, places)}")


def pair_pictures(scored, places):
    """HTML of pairs, given by their places in the list: crops side by side, score, decision and keys."""
    return f'<div class="pairs">{"".join(_pair(scored, int(place)) for place in places)}</div>'


def picture(data, alt):
    """HTML of a PNG or JPEG's bytes, embedded, with its alternative text."""
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def jpeg(image):
    """Uint8 RGB picture [H, W, 3] -> JPEG bytes."""
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def _pair(scored, place):
    pairs, folder = scored.pairs, scored.folder
    numbers = int(pairs.a[place]), int(pairs.b[place])
    left, right = (folder.crop(number) for number in numbers)
    gap = np.full((len(left), _GAP, 3), 255, np.uint8)
    keys = [html.escape(folder.keys[number]) for number in numbers]
    kind = "genuine" if pairs.same[place] else "impostor"
    state = "right" if scored.is_right[place] else "wrong"
    return (f'<figure class="{state}">{picture(jpeg(np.hstack([left, gap, right])), f"{kind} pair")}<figcaption>'
            f'<b>{scored.scores[place]:.3f}</b> {state}<br>{"<br>".join(keys)}</figcaption></figure>')


def _plain(value):
    return ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)


def _only_wrong(scored, best, other):
    """HTML of pairs that one of two models alone decides rightly, the other model's worst first."""
    text = f"<h2>{html.escape(best)} and {html.escape(other)} disagree</h2>"
    for right, wrong in ((best, other), (other, best)):
        one = scored[wrong]
        places = np.flatnonzero(scored[right].is_right & ~one.is_right & ~one.pairs.unreadable)
        # The further on the wrong side, the worse.
        worst = np.where(one.pairs.same[places], 1, -1) * (one.scores[places] - one.thresholds[places])
        shown = places[np.argsort(worst, kind="stable")][:_MOST // 2]
        text += (f"<p>{html.escape(right)} alone is right about {len(places):,} pairs; the scores are those of "
                 f"{html.escape(wrong)}.</p>{pair_pictures(one, shown)}")
    return text


_DOCUMENT = Template("""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; color: #222;
       background: #fdfdfc }
h1 { font-size: 1.7rem; margin-bottom: .2rem }
h1, h2, th, figcaption { overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; border-top: 1px solid #ddd; padding-top: 1.2rem }
img { max-width: 100%; height: auto; border-radius: 4px }
.two { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }
.two > * { flex: 1 1 24rem; min-width: 0 }
.big { font-size: 3rem; font-weight: 650; line-height: 1.1; color: #1f5fa8; margin: 1rem 0 }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .92rem }
th, td { text-align: left; padding: .25rem 1.6rem .25rem 0; border-bottom: 1px solid #eee; vertical-align: top }
th { font-weight: 600 }
th.sub { font-weight: 400; padding-left: 1.2rem }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
pre { background: #f1f1ee; padding: .8rem 1rem; overflow-x: auto; border-radius: 4px; font-size: .86rem }
p.note { color: #555; font-size: .92rem }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem }
figure { margin: 0 }
figure img { width: 100%; box-sizing: border-box; border-bottom: 4px solid #2f7d4f }
figure.wrong img { border-bottom-color: #c8501e }
figcaption { font-size: .8rem; line-height: 1.35; color: #444 }
</style>
<h1>$title</h1>
$body
</html>
""")
