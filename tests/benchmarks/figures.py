# figures.py: medians, percentiles, and tables of them
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import math
import statistics


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def percentile(values, percent):
    """The smallest value that so many of them do not exceed; None of none"""
    values = sorted(values)
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)] if values else None


def show(value, form=".2f"):
    return "–" if value is None else format(value, form)


def table(title, heads, rows):
    """In Markdown, so that it can go into docs/benchmarks.md as it is"""
    cells = [heads, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]

    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"

    return "\n".join([title, "", line(heads), line(["-" * width for width in widths]), *map(line, rows), ""])
