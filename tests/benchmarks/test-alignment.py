#!/usr/bin/env python3
# test-alignment.py: words are found where they were spoken, and not where they will be
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import unittest

from alignment import Alignment

VERSE = "row row row your boat gently down the stream".split()


class Found(unittest.TestCase):
    def check(self, heard, found, spoken=None):
        alignment = Alignment(VERSE * 2)
        for word in heard.split():
            alignment.push(word)
        self.assertEqual(sorted(alignment.found(2 * len(VERSE) if spoken is None else spoken)), found)

    def test_nothing(self):
        self.check("", [])

    def test_beginning(self):
        self.check("row row row", [0, 1, 2])

    def test_all_of_what_repeats_itself(self):
        self.check(" ".join(VERSE * 2), list(range(18)))

    def test_once_of_what_repeats_itself(self):
        self.check(" ".join(VERSE), list(range(9)))

    def test_wrong_word(self):
        self.check("row row row your goat gently down", [0, 1, 2, 3, 5, 6])

    def test_missing_word(self):
        self.check("row row row boat gently down", [0, 1, 2, 4, 5, 6])

    def test_word_too_many(self):
        self.check("oh row row row your boat", [0, 1, 2, 3, 4])

    def test_not_before_it_is_spoken(self):
        self.check("row row row your boat gently", [0, 1, 2], spoken=3)

    def test_words_that_are_taken_back(self):
        alignment = Alignment(VERSE)
        for word in ("row", "row", "stream"):
            alignment.push(word)
        alignment.pop()
        alignment.push("row")
        self.assertEqual(sorted(alignment.found(len(VERSE))), [0, 1, 2])


if __name__ == "__main__":
    unittest.main()
