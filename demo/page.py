"""One page about a demonstration, self-contained: numbers, pictures, and what to try next."""

import html
import json

import cv2

from base.files import atomic_text
from demo import faces
from demo.charts import training_chart
from evaluation.outputs import run_charts
from evaluation.page import chart_rows, document, hardest_pairs, jpeg, picture
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
    charts = run_charts("run", found.scored)
    log = [json.loads(line) for line in (output / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    body = _BODY.format(
        headline=f"{numbers['accuracy']:.1%}", protocol=html.escape(protocol(found.scored.result)),
        table=_table(numbers),
        people=config.people, photos=config.photos, others=config.others,
        drawn=picture(_photographs(config), "Drawn photographs with their known landmarks"),
        crops=picture(jpeg(cv2.imread(str(output / "data" / "random.png"))[..., ::-1]), "Crops of training people"),
        training=picture(training_chart(log), "Loss and accuracy against steps"),
        charts=chart_rows({"ROC": charts["roc.png"], "Scores of genuine and impostor pairs": charts["scores.png"]}),
        genuine=hardest_pairs(found.scored, same=True), impostor=hardest_pairs(found.scored, same=False),
        commands=html.escape("\n".join(commands)))
    atomic_text(output / "index.html", document("Face recognition on drawn faces", body))


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
    return jpeg(contact_sheet(shown, columns=min(_PHOTOS, config.others_photos)))


_BODY = """
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
{charts}
<h2>Where it errs</h2>
{impostor}
{genuine}
<h2>To try next</h2>
<pre>{commands}</pre>"""
