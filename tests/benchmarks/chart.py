# chart.py: a line chart as SVG
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import math
from html import escape
from pathlib import Path

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 860, 220, 48, 16, 56, 46
COLOURS = ("#0b66c3", "#d1620a", "#e0a03a", "#4a4a4a")


def text(x, y, what, anchor="start", size=12):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}">{escape(what)}</text>'


def line(x1, y1, x2, y2, colour):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def step(most):
    """Between marks on an axis: 1, 2 or 5 and noughts, so that there are no more than eight"""
    size = 10 ** math.floor(math.log10(max(most, 1e-9) / 8))
    return next(size * factor for factor in (1, 2, 5, 10, 20) if most / (size * factor) <= 8)


def draw_panel(top, title, lines, furthest):
    most = max([y for points in lines.values() for _, y in points], default=1)
    most = max(most, 0.1)

    def place(x, y):
        return LEFT + (WIDTH - LEFT - RIGHT) * x / furthest, top + PANEL * (1 - max(0, y) / most)

    yield text(LEFT, top - 6, title)
    for i in range(int(most / step(most)) + 1):
        x, y = place(0, i * step(most))
        yield line(x, y, WIDTH - RIGHT, y, "#ddd")
        yield text(x - 6, y + 4, f"{i * step(most):g}", "end")
    for i in range(int(furthest / step(furthest)) + 1):
        x, y = place(i * step(furthest), 0)
        yield line(x, y, x, y + 4, "#888")
        yield text(x, y + 17, f"{i * step(furthest):g}", "middle")
    for colour, points in zip(COLOURS, lines.values(), strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def write(path, title, axis, panels):
    """@panels: [(title, {name: [(x, y)]})], all with the same names, one below the other"""
    names = list(panels[0][1])
    furthest = max([x for _, lines in panels for points in lines.values() for x, _ in points], default=1)
    height = TOP + 24 + len(panels) * (PANEL + GAP) + 6
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>', text(LEFT, 20, title, size=14)]
    for i, (colour, name) in enumerate(zip(COLOURS, names, strict=False)):
        x = LEFT + 200 * i
        parts += [f'<line x1="{x}" y1="38" x2="{x + 18}" y2="38" stroke="{colour}" stroke-width="3"/>', text(x + 24, 42, name)]
    for i, (subtitle, lines) in enumerate(panels):
        parts += draw_panel(TOP + 24 + i * (PANEL + GAP), subtitle, lines, furthest)
    parts += [text(WIDTH - RIGHT, height - 4, axis, "end"), "</svg>"]
    Path(path).write_text("\n".join(parts) + "\n", encoding="utf-8")
