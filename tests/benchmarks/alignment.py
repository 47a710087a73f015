# alignment.py: which words of a text have been heard so far
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is heard while somebody speaks is the beginning of a text, with mistakes. It is compared with the beginnings of the text,
and not with all of it: in one that repeats itself, words would be found where they have not been spoken yet."""


class Alignment:
    """Of words that are pushed, and can be popped again, with the words of a reference"""

    def __init__(self, reference):
        self.reference = reference
        self.heard = []
        # edit distances of what was heard to every beginning of the reference, a row for each word heard
        self.rows = [list(range(len(reference) + 1))]

    def push(self, word):
        above, row = self.rows[-1], [len(self.rows)]
        for i, expected in enumerate(self.reference):
            row.append(min(above[i] + (expected != word), above[i + 1] + 1, row[i] + 1))
        self.heard.append(word)
        self.rows.append(row)

    def pop(self):
        self.heard.pop()
        self.rows.pop()

    def found(self, spoken):
        """Indices of the words that are there, of as many as have been spoken"""
        i, found = len(self.heard), set()
        row = self.rows[-1]
        j = min(range(spoken + 1), key=row.__getitem__)  # the shortest beginning that fits best
        while i and j:
            same = self.reference[j - 1] == self.heard[i - 1]
            if self.rows[i][j] == self.rows[i - 1][j - 1] + (not same):
                i, j = i - 1, j - 1
                if same:
                    found.add(j)
            elif self.rows[i][j] == self.rows[i][j - 1] + 1:
                j -= 1
            else:
                i -= 1
        return found
