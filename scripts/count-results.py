#!/usr/bin/env python3
# count-results.py: how many tests passed, failed and were skipped in runs of meson test
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums meson's JSON logs up to "N passed, N failed, N skipped".

An executable counts with the tests inside it where it tells them: Check's "Checks: N, Failures: N, Errors: N" or TAP
lines. Otherwise it counts as one.
"""

import json
import re
import sys

CHECK = re.compile(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)")
TAP = re.compile(r"^(not )?ok\b(.*)", re.MULTILINE)


def count(test):
    """(passed, failed, skipped) of one executable"""
    output = test.get("stdout", "") + test.get("stderr", "")
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    passed = failed = skipped = 0
    for checks, failures, errors in CHECK.findall(output):
        failed += int(failures) + int(errors)
        passed += int(checks) - int(failures) - int(errors)
    if passed + failed == 0:
        for failure, rest in TAP.findall(output):
            if re.search(r"#\s*skip", rest, re.IGNORECASE):
                skipped += 1
            elif failure:
                failed += 1
            else:
                passed += 1
    if test["result"] == "SKIP":
        skipped = max(skipped, 1)
    elif passed + failed + skipped == 0:
        passed = int(good)
    if good:
        failed = 0  # what a test had to see fail
    elif test["result"] != "SKIP" and failed == 0:
        failed = 1  # timed out, crashed, or valgrind found something after the last test
    return passed, failed, skipped


def main():
    totals = [0, 0, 0]
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                totals = [total + more for total, more in zip(totals, count(json.loads(line)))]
    print("{} passed, {} failed, {} skipped".format(*totals))


if __name__ == "__main__":
    main()
