"""Draws what new users get after k clicks, with 95 % intervals over users.

    honeyguide evaluate --protocol few-shot ... --curves curves.json
    .venv/bin/python bench/curve_figure.py --curves curves.json --row "blend=what we serve" --row popularity --out docs/concepts/new_user_curve.svg

One SVG without scripts or fonts of its own; text is in the colour of the page, light or dark. Clicks are spaced by log2(k + 1), as the area under the
curve counts them.
"""
import argparse
import html
import json
import math
import pathlib

import numpy

parser = argparse.ArgumentParser()
parser.add_argument("--curves", required=True)
parser.add_argument("--row", action="append", required=True, help="ROW or ROW=LABEL, drawn in this order")
parser.add_argument("--out", type=pathlib.Path, required=True)
arguments = parser.parse_args()

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 64, 168, 18, 48
COLOURS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]  # Okabe and Ito, safe for the colour-blind
STYLE = """<style>
.curve text { fill: #1f2328; font: 13px system-ui, sans-serif; } .curve .grid { stroke: #8884; } .curve .axis { stroke: #888; }
@media (prefers-color-scheme: dark) { .curve text { fill: #e6edf3; } }
</style>"""


def read(rows):
    told = json.loads(pathlib.Path(arguments.curves).read_text())
    by_name = {row["name"]: numpy.array(row["values"]) for row in told["rows"]}
    drawn = []
    for word in rows:
        name, _, label = word.partition("=")
        if name not in by_name:
            parser.error(f"no row {name}; there are {', '.join(by_name)}")
        values = by_name[name]  # [contexts, users]
        half = 1.96 * values.std(axis=1, ddof=1) / math.sqrt(values.shape[1])
        drawn.append((label or name, values.mean(axis=1), half))
    return told, drawn


def ticks(top):
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if top / s <= 7)
    return [step * i for i in range(int(top / step) + 1)]


def spread(wanted, least=16):
    """Heights of labels, in their order, at least so far apart."""
    order = numpy.argsort(wanted)
    placed = numpy.array(wanted, dtype=float)
    for before, at in zip(order, order[1:]):
        placed[at] = max(placed[at], placed[before] + least)
    return placed


def draw(told, drawn):
    clicks = told["contexts"]
    top = 1.05 * max((mean + half).max() for _, mean, half in drawn)
    x = [LEFT + (WIDTH - LEFT - RIGHT) * math.log2(k + 1) / math.log2(clicks[-1] + 1) for k in clicks]
    y = lambda value: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
    title = f"NDCG@10 after k clicks, {len(told['users']):,} users never trained on"
    out = [f'<svg class="curve" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
           STYLE, f"<title>{title}</title>"]
    for value in ticks(top):
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
                   f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    for k, at in zip(clicks, x):
        out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{k}</text>')
    out.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">clicks known of a new user</text>')
    out.append(f'<text transform="translate(16 {(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)" text-anchor="middle">NDCG@10</text>')
    labels = spread([y(mean[-1]) for _, mean, _ in drawn])
    for (label, mean, half), colour, at in zip(drawn, COLOURS, labels):
        points = list(zip(x, mean, half))
        band = [f"{a:.1f},{y(m + h):.1f}" for a, m, h in points] + [f"{a:.1f},{y(m - h):.1f}" for a, m, h in reversed(points)]
        out.append(f'<polygon points="{" ".join(band)}" fill="{colour}" opacity="0.18"/>')
        out.append(f'<polyline points="{" ".join(f"{a:.1f},{y(m):.1f}" for a, m, _ in points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{y(m):.1f}" r="3" fill="{colour}"/>' for a, m, _ in points]
        out.append(f'<line x1="{x[-1] + 6:.1f}" x2="{x[-1] + 16:.1f}" y1="{y(mean[-1]):.1f}" y2="{at:.1f}" stroke="{colour}"/>')
        out.append(f'<text x="{x[-1] + 20:.1f}" y="{at + 4:.1f}">{html.escape(label)}</text>')
    return "\n".join([*out, "</svg>", ""])


arguments.out.write_text(draw(*read(arguments.row)))
