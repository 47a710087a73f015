# documents.py: the tables of docs/, for tests that hold them against what there is
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import functools
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
# How transcribe --json writes the types of the tables; a time that is not known is null there
JSON = {"string": str, "boolean": bool, "uint": int, "uint64": (int, type(None)), "double": (int, float), "GstValueArray": list}


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def tables(file):
    """(last heading, [{column: cell}]) of each table"""
    heading, header, rows = "", None, []
    for line in [*(DOCS / file).read_text(encoding="utf-8").splitlines(), ""]:
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells is None:
            if header:
                yield heading, rows
            header, rows = None, []
        elif header is None:
            header = cells
        elif not set(cells[0]) <= set("-: "):
            rows.append(dict(zip(header, cells, strict=True)))
        if line.startswith("#"):
            heading = line.lstrip("#").strip().strip("`")


@functools.cache
def messages():
    """{message: {field: (type, always there)}}"""
    found = {}
    for heading, rows in tables("messages.md"):
        if not heading.startswith("whisperlive/") or "field" not in rows[0]:
            continue
        found[heading] = {name: (re.match(r"\w+", row["type"])[0], not row["meaning"].startswith("if "))
                          for row in rows for name in names(row["field"])}
    found["whisperlive/translation"] = found["whisperlive/transcript"]
    return found


def check(message):
    """That a message has the fields of docs/messages.md; @message: a line of transcribe --json"""
    name = message["name"]
    if not name.startswith("whisperlive/"):
        return
    if name not in messages():
        raise AssertionError(f"docs/messages.md has no {name}")
    fields = {field: value for field, value in message.items() if field not in ("name", "wall")}
    table = messages()[name]
    for field, value in fields.items():
        if field not in table:
            raise AssertionError(f"docs/messages.md has no field {field} of {name}: {message}")
        if not isinstance(value, JSON[table[field][0]]):
            raise AssertionError(f"{field} of {name} is no {table[field][0]}: {message}")
    missing = {field for field, (_, always) in table.items() if always} - fields.keys()
    if missing:
        raise AssertionError(f"{name} has no {', '.join(sorted(missing))}: {message}")
