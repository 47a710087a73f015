#!/usr/bin/env python3
# test-docs.py: docs/ say what the element has, and which tests hold that
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The messages that are really posted are compared by the stories (tests/stories/documents.py)."""

import re
import sys
import unittest
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst  # noqa: E402

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "stories"))
import documents  # noqa: E402

TYPES = {"gchararray": "string", "gboolean": "boolean", "guint": "uint", "gint": "int", "guint64": "uint64", "gdouble": "double"}
# Others than a table can tell
UNIQUE = {"client-id"}


def documented():
    """{property: its row}; a row may be for several"""
    return {name: row for _, rows in documents.tables("properties.md") if "property" in rows[0]
            for row in rows for name in documents.names(row["property"])}


def kind(spec):
    return "enum" if spec.value_type.is_a(GObject.TYPE_ENUM) else TYPES.get(spec.value_type.name, spec.value_type.name)


def default(spec):
    """As the table has it, without the marks of code; None: nothing that a table could tell"""
    if spec.name in UNIQUE:
        return None
    value = spec.default_value
    if kind(spec) == "enum":
        return spec.enum_class.__enum_values__[value].value_nick
    if kind(spec) == "boolean":
        return "TRUE" if value else "FALSE"
    if kind(spec) == "string":
        return "NULL" if value is None else value
    return str(value) if kind(spec) in TYPES.values() else None


class Properties(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.element = Gst.ElementFactory.make("whisperlivesink")
        own = cls.element.get_factory().get_element_type()
        cls.specs = {spec.name: spec for spec in cls.element.list_properties() if spec.owner_type == own}
        cls.rows = documented()

    def each(self):
        for name in sorted(self.specs.keys() & self.rows.keys()):
            yield name, self.specs[name], self.rows[name]

    def test_all_are_there(self):
        self.assertGreater(len(self.specs), 40)
        self.assertEqual(sorted(self.specs), sorted(self.rows))

    def test_comments(self):
        """For gtk-doc, in the sources"""
        sources = "".join(path.read_text() for path in TESTS.parent.glob("gst/*.c"))
        for name in self.specs:
            self.assertIn(f" * GstWhisperLiveSink:{name}:\n", sources)

    def test_types(self):
        for name, spec, row in self.each():
            self.assertEqual(re.match(r"\w+", row["type, default"])[0], kind(spec), name)

    def test_defaults(self):
        for name, spec, row in self.each():
            if default(spec) is not None:
                told = re.match(r"\w+(?:, (`[^`]*`|[^;]*))?", row["type, default"])[1]
                self.assertEqual(told.strip("`"), default(spec), name)

    def test_access(self):
        for name, spec, row in self.each():
            self.assertEqual("read-only" in row["type, default"], not spec.flags & GObject.ParamFlags.WRITABLE, name)
            self.assertEqual("write-only" in row["type, default"], not spec.flags & GObject.ParamFlags.READABLE, name)

    def test_ranges(self):
        compared = 0
        for name, spec, row in self.each():
            told = re.match(r"(-?\d+)–(\d+)", row["range"])
            if told and name != "send-last-n-segments":
                self.assertEqual([float(told[1]), float(told[2])], [float(spec.minimum), float(spec.maximum)], name)
                compared += 1
        self.assertGreater(compared, 15)

    def test_enums(self):
        for name, spec, row in self.each():
            if kind(spec) == "enum" and name != "connection-state":
                nicks = [value.value_nick for value in spec.enum_class.__enum_values__.values()]
                self.assertEqual(documents.names(row["range"]), nicks, name)

    def test_states(self):
        nicks = {value.value_nick for value in self.specs["connection-state"].enum_class.__enum_values__.values()}
        told = next(rows for heading, rows in documents.tables("properties.md") if heading == "connection-state")
        self.assertEqual({name for row in told for name in documents.names(row["nick"])}, nicks)


class Statistics(unittest.TestCase):
    def test_fields(self):
        stats = Gst.ElementFactory.make("whisperlivesink").get_property("stats")
        fields = {stats.nth_field_name(i) for i in range(stats.n_fields())}
        inherited = {"average-rate", "dropped", "rendered"}
        told = next(rows for heading, rows in documents.tables("messages.md") if heading == "Statistics")
        self.assertEqual({name for row in told for name in documents.names(row["field"])}, fields - inherited)
        for name in fields - inherited:
            self.assertEqual(stats.get_field_type(name).name, "guint64", name)


class InterfaceTests(unittest.TestCase):
    """docs/interface-tests.md"""

    @staticmethod
    def functions(program):
        source = TESTS / f"{program}.c"
        return set(re.findall(r"GST_START_TEST \(test_(\w+)\)", source.read_text(encoding="utf-8"))) if source.exists() else None

    def test_they_exist(self):
        found = 0
        for _, rows in documents.tables("interface-tests.md"):
            for cell in (row["tests"] for row in rows):
                program = None
                for name in documents.names(cell):
                    if name.startswith("tests/"):
                        self.assertTrue((TESTS.parent / name).exists(), name)
                        continue
                    path, _, function = name.partition(":")
                    if "/" in path:
                        program, name = path, function
                        self.assertIsNotNone(self.functions(program), program)
                    if name:
                        self.assertIn(name, self.functions(program), cell)
                        found += 1
        self.assertGreater(found, 60)

    def test_each_property_is_there(self):
        rows = next(rows for heading, rows in documents.tables("interface-tests.md") if heading == "Properties")
        self.assertLessEqual(set(documented()), {name for row in rows for name in documents.names(row["property"])})

    def test_each_message_is_there(self):
        rows = next(rows for heading, rows in documents.tables("interface-tests.md") if heading == "Messages and tags")
        self.assertLessEqual(set(documents.messages()), {name for row in rows for name in documents.names(row[""])})


if __name__ == "__main__":
    Gst.init(None)
    unittest.main()
