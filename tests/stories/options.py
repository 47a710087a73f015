# options.py: what suite.py was asked for
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import argparse

# work is a folder for files
options = argparse.Namespace(transcribe=None, scripted=None, all=False, record=False, shuffle=False, runs=1, seed=0, work=None)
