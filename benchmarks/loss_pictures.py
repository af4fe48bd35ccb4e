"""Draws the pictures of docs/losses.md: what every loss makes of an angle. Last line: one JSON object.

python benchmarks/loss_pictures.py docs/losses

Of each loss with a classifier NAME.png: on the left what the target shows (the loss itself, where that is the cosine
in every curve), on the right how the loss of a row changes with the angle to its center, the other classes of 10,572
being at right angles. adaptive_scale.png: probability and loss at four scales. Losses go through the functions that
train; no formula of theirs is written down a second time.
"""

import argparse
import io
import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/loss_pictures.py` works as well

from matplotlib.figure import Figure  # noqa: E402 - after the path is set

from base.environment import load_tensorflow  # noqa: E402
from base.files import atomic_write  # noqa: E402
from evaluation.plots import BLUE, ORANGE, png  # noqa: E402
from losses.registry import build, load, names  # noqa: E402
from losses.scale import adaptive_scale  # noqa: E402

CLASSES, STEPS = 10_572, 360
GREEN, VIOLET, BROWN, GREY = "#2f7d4f", "#7b4ea3", "#8a6d1b", "#9a9a9a"
COLOURS = (BLUE, ORANGE, GREEN, VIOLET)
SCALES = (4.0, "adaptive", 30.0, 64.0)


@dataclass(frozen=True)
class Line:
    """One curve: a loss under one set of circumstances."""

    label: str
    params: dict = field(default_factory=dict)
    name: str = ""
    """Of a loss other than the picture's."""
    length: float = 1.0
    """Of the embedding."""
    state: dict = field(default_factory=dict)
    step: int = 0
    draws: bool = False
    """Whether random draws are taken, as in training, or their mean."""
    centers: tuple = (0.0,)
    """Degrees of the target's centers in the plane where the embedding turns; the nearest counts."""
    style: str = "-"
    colour: str = ""
    width: float = 1.4
    band: tuple = ()
    """Parameters of the two lines between which the left panel is shaded."""
    other: float | None = None
    """Not the target but another class is shown, the target being at this angle in degrees."""


def adaface(q):
    """An embedding whose standing is q, the lengths gone by having mean 20 and deviation 6."""
    return Line(f"q = {q}", length=20 + q * 6.001 / 0.333, state={"mean": 20.0, "deviation": 6.0})


def sphereface(weight):
    """SphereFace at a weight lambda that stays."""
    return Line(f"λ = {weight:,}", {"base": float(weight), "gamma": 0.0, "least": 0.0}, length=20.0)


PLAIN = (Line("defaults"),)
"""Of a loss that has no lines of its own."""
LINES = {
    "softmax": [Line(f"|x| |w| = {length}", length=length) for length in (5, 20, 60)],
    "centerloss": [Line("softmax", {"weight": 0.0}, length=20.0), Line("weight 0.003", length=20.0),
                   Line("weight 0.03", {"weight": 0.03}, length=20.0)],
    "l2softmax": [Line(f"α = {alpha:g}", {"alpha": alpha}) for alpha in (4.0, 16.0, 40.0)],
    "normface": [Line("s adaptive, 13.1" if scale == "adaptive" else f"s = {scale:g}", {"scale": scale})
                 for scale in SCALES],
    "adacos": [Line("first scale, 13.1"), Line("scale 9", state={"scale": 9.0}),
               Line("NormFace, s = 30", {"scale": 30.0}, name="normface", colour=GREY)],
    "amsoftmax": [Line("m = 0.35"), Line("m = 0.35, easy", {"easy": True}, style="--"),
                  Line("m = 0.2", {"margin": 0.2})],
    "arcface": [Line("plain", {"variant": "plain"}, colour=GREEN), Line("clip", {"variant": "clip"}, colour=VIOLET),
                Line("monotone", colour=BLUE), Line("easy", {"variant": "easy"}, style="--", colour=ORANGE)],
    "combined": [Line("1, 0.3, 0.2"), Line("0.9, 0.4, 0.15", {"multiply": 0.9, "add": 0.4, "subtract": 0.15}),
                 Line("1, 0.5, 0", {"add": 0.5, "subtract": 0.0}, style="--")],
    "sphereface": [sphereface(weight) for weight in (1000, 5, 0)],
    "spherefacer": [Line("v0", {"variant": "v0"}), Line("v1", style="--"), Line("v2", {"variant": "v2"}),
                    Line("v2, another class", {"variant": "v2"}, style=":", colour=GREEN, other=60.0)],
    "sphereface2": [Line("C, 0.4"), Line("A, 0.5", {"kind": "A", "margin": 0.5}),
                    Line("M, 1.7", {"kind": "M", "margin": 1.7}),
                    Line("C, another class", style=":", colour=BLUE, other=60.0)],
    "subcenter": [Line("ArcFace, 1 center", {"sub_centers": 1}, name="arcface", colour=GREY),
                  Line("3: 0°, 120°, 240°", centers=(0.0, 120.0, 240.0))],
    "unified": [Line(f"a = {a:,}".replace("-", "−"), {"a": float(a)}) for a in (0, -1, -100, -36314)],
    "randomsoftmax": [*(Line("" if draw else "a = −e^(s/3) |n|", {"growth": 1 / 3, "every": 1}, step=draw, draws=True,
                             colour=BLUE, width=0.8) for draw in range(6)),
                      Line("a = −|n|", {"every": 1}, draws=True, colour=ORANGE)],
    "mvsoftmax": [Line("target, am"), Line("target, arc 0.5", {"base": "arc", "margin": 0.5}, colour=GREEN),
                  Line("another, am", style=":", colour=BLUE, other=40.0)],
    "curricularface": [Line("target, t = 0", state={"t": 0.0}),
                       Line("another, t = 0", state={"t": 0.0}, style=":", colour=BLUE, other=40.0),
                       Line("another, t = 0.6", state={"t": 0.6}, style=":", colour=ORANGE, other=40.0)],
    "magface": [Line(f"|x| = {length}", length=length) for length in (10, 60, 110)],
    "adaface": [adaface(q) for q in (-1, 0, 1)],
    "elasticface": [Line("arc, 0.5 ± 0.05", band=({"margin": 0.45}, {"margin": 0.55})),
                    Line("cos, 0.35 ± 0.05", {"kind": "cos", "margin": 0.35},
                         band=({"kind": "cos", "margin": 0.3}, {"kind": "cos", "margin": 0.4}))],
    "uniface": [Line("target"), Line("another class", style=":", colour=BLUE, other=60.0)],
    "circle": [Line("m = 0.25"), Line("another, 0.25", style=":", colour=BLUE, other=60.0),
               Line("m = 0.4", {"margin": 0.4})],
}
"""Name of a loss -> the curves of its picture."""
JUMP = 0.06   # between two neighbouring angles: a curve has a gap there


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    load_tensorflow()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with_classifier = [name for name in names() if hasattr(load(name), "target")]
    sizes = {name: _write(folder / f"{name}.png", picture(name)) for name in with_classifier}
    drawn, bends = scale_picture()
    sizes["adaptive_scale"] = _write(folder / "adaptive_scale.png", drawn)
    print(json.dumps({"pictures": len(sizes), "bytes": sum(sizes.values()), "bend_degrees": bends}))
    return 0


def picture(name):
    """PNG bytes of the picture of a loss."""
    figure = Figure(figsize=(5.8, 2.3), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    cosine, colours = np.cos(np.radians(angles())), iter(COLOURS)
    found = [(line, *curves(name, line)) for line in LINES.get(name, PLAIN)]
    is_plain = all(np.abs(shown - cosine).max() < 1e-9 for _, shown, _, _ in found)
    if not is_plain:
        left.plot(angles(), cosine, color="#b5b5b5", linewidth=0.8)
    for line, shown, value, slope in found:
        curve = {"color": line.colour or next(colours), "linestyle": line.style, "linewidth": line.width}
        jumps = np.append(np.abs(np.diff(shown)) > JUMP, False)
        left.plot(angles(), np.where(jumps, np.nan, value if is_plain else shown), label=line.label or None, **curve)
        if line.band:
            low, high = (curves(name, Line("", params))[0] for params in line.band)
            left.fill_between(angles(), low, high, color=curve["color"], alpha=0.25, linewidth=0)
        if line.other is None:
            right.plot(angles(), np.where(jumps, np.nan, slope), **curve)
    _dress(left, "L" if is_plain else "target's logit / scale")
    _dress(right, "dL / dθ")
    left.legend(fontsize=7, loc="best", framealpha=0.85, handlelength=1.6, borderpad=0.3, labelspacing=0.25)
    return png(figure)


def curves(name, line):
    """Float64 [N] each: what the target (or another class) shows, the row's loss, and its derivative."""
    import tensorflow as tf

    from losses.reduce import Part
    from losses.rows import row_losses
    loss, context = circumstances(line.name or name, line)
    turned = tf.constant(np.radians(angles()))
    with tf.GradientTape() as tape:
        tape.watch(turned)
        cosine = tf.reduce_max([tf.cos(turned - math.radians(place)) for place in line.centers], axis=0)
        context = context(turned)
        similarity = cosine if loss.unit_embeddings else line.length * cosine
        others = tf.zeros((len(angles()), CLASSES - 1), tf.float64)
        whole = Part(tf.concat([similarity[:, None], others], axis=1), context.labels,
                     bias=tf.zeros(CLASSES, tf.float64) if loss.has_bias else None)
        values, _ = row_losses(loss, [whole], context)
    slope = tape.gradient(values, turned).numpy()
    if line.other is not None:
        target = tf.fill(cosine.shape, tf.constant(math.cos(math.radians(line.other)), tf.float64))
        return loss.others(cosine[:, None], target, context).numpy()[:, 0], values.numpy(), slope
    shown = loss.target(cosine, context)
    if name in ("unified", "randomsoftmax"):   # their margin is not in the target but in the sums
        far = tf.constant(900.0, tf.float64)   # a rest beside which the loss is rest - target + margin
        shown = shown - (loss.finish(0 * far, far, context) - far) / loss.scale
    return shown.numpy(), values.numpy(), slope


def circumstances(name, line):
    """(resolved loss, function: angles [N] -> its context) of a line."""
    import tensorflow as tf

    from losses.loss import Context, Facts
    facts = Facts(CLASSES)
    loss = build(name, line.params).resolved(facts)

    def exact(values):
        return {key: tf.constant(np.asarray(value, np.float64)) for key, value in values.items()}

    def context(turned):
        count = len(angles())
        ahead = line.length * np.array([1.0, 0.0])   # the class's mean of center loss is where its center is
        state = exact(loss.first_state(facts, 2) | line.state)
        if "means" in state:
            state["means"] = tf.constant(np.tile(ahead, (CLASSES, 1)))
        return Context(
            labels=tf.zeros(count, tf.int32), norms=tf.fill((count,), tf.constant(line.length, tf.float64)),
            embeddings=line.length * tf.stack([tf.cos(turned), tf.sin(turned)], axis=1), facts=facts,
            margin_share=tf.constant(1.0, tf.float64), step=tf.constant(line.step), state=state, previous=state,
            scalars=exact({key: first for key, (first, _) in loss.scalars(facts).items()}), training=line.draws)

    return loss, context


def scale_picture():
    """(PNG bytes, degrees where the probability bends at each scale): P and L for four scales, no margin."""
    theta = np.linspace(0, 120, 961)
    figure = Figure(figsize=(7.4, 2.9), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    bends = {}
    for scale, colour in zip(SCALES, COLOURS, strict=True):
        label = f"s = {scale:g}" if scale != "adaptive" else "s = 13.1 (adaptive)"
        scale = adaptive_scale(10_575) if scale == "adaptive" else scale
        chance, loss, bend = probability(theta, scale)
        [turns] = np.nonzero(np.diff(np.sign(bend)))
        found = theta[turns] + np.diff(theta)[turns] * bend[turns] / (bend[turns] - bend[turns + 1])
        bends[f"{scale:.4g}"] = [round(float(angle), 1) for angle in found]
        for axes, values in ((left, chance), (right, loss)):
            axes.plot(theta, values, color=colour, linewidth=1.6, label=label)
            axes.plot(found, np.interp(found, theta, values), "o", color=colour, markersize=4.5)
    for axes, title in ((left, "P: probability of the target"), (right, "L = −ln P")):
        axes.axvline(45, color=GREY, linestyle="--", linewidth=1)
        _dress(axes, title, last=120)
    right.plot([], [], "ko", markersize=4, label="P″ = 0")
    right.plot([], [], color=GREY, linestyle="--", linewidth=1, label="45°")
    right.legend(fontsize=7.5, loc="upper left", framealpha=0.9)
    return png(figure), bends


def probability(degrees, scale, classes=10_575):
    """(P, L, P'') over angles [N], all other classes at right angles."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    loss = np.logaddexp(0, math.log(classes - 1) - scale * cosine)
    chance, rest = np.exp(-loss), -np.expm1(-loss)
    return chance, loss, -scale * chance * rest * (cosine + scale * (chance - rest) * sine**2)


def angles():
    """Degrees [N] of the plots, both ends a little inside."""
    return np.clip(np.linspace(0, 180, STEPS + 1), 0.01, 179.99)


def _dress(axes, title, last=180):
    axes.set_title(title, fontsize=8.5)
    axes.set_xlim(0, last)
    axes.set_xticks(range(0, last + 1, 30), [f"{angle}°" for angle in range(0, last + 1, 30)])
    axes.tick_params(labelsize=7, length=2.5)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _write(path, data):
    """Writes a picture of few colours; returns its bytes."""
    few = io.BytesIO()
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int32)
    Image.fromarray(((pixels + 8) // 17 * 17).astype(np.uint8)).quantize(256).save(few, "png", optimize=True)
    with atomic_write(path) as file:
        file.write(few.getvalue())
    return len(few.getvalue())


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/loss_pictures.py", description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where the pictures go")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
