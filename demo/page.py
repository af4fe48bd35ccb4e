"""One page about a demonstration, self-contained: numbers, pictures, and what to try next."""

import base64
import html
import json

import cv2
import numpy as np

from base.files import atomic_text
from demo import faces
from demo.charts import score_chart, training_chart
from evaluation.report import protocol
from tfrecords.sheet import contact_sheet

_PEOPLE, _PHOTOS = 5, 8


def write_page(config, output, found, numbers, commands):
    """Writes OUTPUT/index.html.

    Args:
        config: the DemoConfig.
        output: its folder.
        found: what `demo.measure` returned.
        numbers: what the last line of the demonstration says.
        commands: what to try next.
    """
    roc = output / "run" / "evaluations" / f"{found.folder.name}-{found.folder.digest[:8]}" / "roc.png"
    log = [json.loads(line) for line in (output / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    threshold = found.results["best_threshold_no_folds"]["threshold"]
    genuine, impostor = _hardest(found, same=True), _hardest(found, same=False)
    body = _BODY.format(
        headline=f"{numbers['accuracy']:.1%}", protocol=html.escape(protocol(found.results)), table=_table(numbers),
        people=config.people, photos=config.photos, others=config.others,
        drawn=_picture(_photographs(config), "Drawn photographs with their known landmarks"),
        crops=_picture(_jpeg(cv2.imread(str(output / "data" / "random.png"))[..., ::-1]), "Crops of training people"),
        training=_picture(training_chart(log), "Loss and accuracy against steps"),
        roc=_picture(roc.read_bytes(), "ROC"),
        scores=_picture(score_chart(found.scores, found.pairs.same, threshold), "Scores of genuine and impostor pairs"),
        genuine=_picture(genuine, "Genuine pairs with the lowest scores"),
        impostor=_picture(impostor, "Impostor pairs with the highest scores"),
        threshold=f"{threshold:.3f}", commands=html.escape("\n".join(commands)))
    atomic_text(output / "index.html", body)


def _table(numbers):
    says = {
        "accuracy": "of ten folds of pairs of people that were not trained on",
        "pixel_accuracy": "the same folds, where the score is the cosine of the crops' own pixels",
        "tar_at_far_1e-2": "share of genuine pairs accepted where 1 % of impostor pairs is",
        "detected_share": "of the photographs: MTCNN found a face whose landmarks fit the template",
        "landmark_error": "mean distance of found landmarks from drawn ones, in distances between the eyes",
        "photographs": "drawn", "pairs": "half genuine, half impostor",
        "seconds": "for everything since the start of this call", "peak_mb": "largest memory of one process, in MB",
        "processor": "",
    }
    return "\n".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td><td>{says.get(name, '')}</td>"
                     f"</tr>" for name, value in numbers.items())


def _photographs(config):
    """A sheet of drawn photographs, a row a person, with the landmarks that the program knows; JPEG bytes."""
    shown = []
    for person in range(config.people, config.people + min(_PEOPLE, config.others)):
        for photo in range(min(_PHOTOS, config.others_photos)):
            drawing = faces.draw(config.seed, person, photo, height=config.size, width=config.size)
            image = cv2.resize(drawing.image, (150, 150), interpolation=cv2.INTER_AREA)
            for x, y in drawing.landmarks * 150 / config.size:
                cv2.circle(image, (round(16 * x), round(16 * y)), 24, (60, 255, 90), -1, cv2.LINE_AA, 4)
            shown.append(image)
    return _jpeg(contact_sheet(shown, columns=min(_PHOTOS, config.others_photos)))


def _hardest(found, *, same, most=8):
    """A sheet of pairs of crops that are most like the other kind, with their scores; JPEG bytes."""
    places = np.flatnonzero(found.pairs.same == same)
    places = places[np.argsort(found.scores[places] * (1 if same else -1))][:most]
    tiles = [np.hstack([found.folder.crop(int(numbers[place])) for numbers in (found.pairs.a, found.pairs.b)])
             for place in places]
    return _jpeg(contact_sheet(tiles, [f"score {found.scores[place]:.3f}" for place in places], columns=4))


def _jpeg(image):
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def _picture(data, alt):
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f'<img alt="{alt}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


_BODY = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Face recognition on drawn faces</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; color: #222;
       background: #fdfdfc }}
h1 {{ font-size: 1.7rem; margin-bottom: .2rem }}
h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .4rem; border-top: 1px solid #ddd; padding-top: 1.2rem }}
img {{ max-width: 100%; height: auto; border-radius: 4px }}
.two {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }}
.two > * {{ flex: 1 1 24rem; min-width: 0 }}
.big {{ font-size: 3rem; font-weight: 650; line-height: 1.1; color: #1f5fa8 }}
table {{ border-collapse: collapse; width: 100%; font-size: .92rem }}
th, td {{ text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #eee; vertical-align: top }}
th {{ font-weight: 600; font-family: ui-monospace, monospace; white-space: nowrap }}
td:nth-child(2) {{ min-width: 5rem }}
pre {{ background: #f1f1ee; padding: .8rem 1rem; overflow-x: auto; border-radius: 4px; font-size: .86rem }}
p.note {{ color: #555; font-size: .92rem }}
</style>
<h1>Face recognition on drawn faces</h1>
<p class="note">Nobody's photograph is in here: a program drew all people. The numbers say that the path works from
photographs to a verified model; they say nothing about real faces.</p>
<p class="big">{headline}</p>
<p>{protocol}</p>
<table>
{table}
</table>
<h2>1. Photographs</h2>
<p>{people} people with {photos} photographs each to train with, {others} others to test with. Between two photographs
of a person hair, glasses, expression, pose, light, background and camera change; the shape of the face, its features
and the skin stay. A row is one person; the dots are the landmarks that the program knows.</p>
{drawn}
<h2>2. Alignment</h2>
<p>MTCNN finds face and landmarks; a similarity brings them to the template, 112x96 pixels.</p>
{crops}
<h2>3. Training</h2>
{training}
<h2>4. Evaluation on people that were not trained on</h2>
<div class="two"><div>{roc}</div><div>{scores}</div></div>
<h2>Where it errs</h2>
<p>Genuine pairs with the lowest scores; those under the threshold ({threshold}, the best over all pairs) are taken for
different people.</p>
{genuine}
<p>Impostor pairs with the highest scores; those over it are taken for the same person.</p>
{impostor}
<h2>To try next</h2>
<pre>{commands}</pre>
</html>
"""
