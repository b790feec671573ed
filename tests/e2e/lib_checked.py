# SPDX-License-Identifier: MIT
"""Record a command with the checking shim (tests/support/checked_shim.c), which takes every stack a second time by
libunwind, and read what it counted (tests/support/board.h)."""
import os
import shutil
import struct

from lib_record import BUILD, finished_report, run

SHIM = os.path.join(BUILD, "tests", "libchecked-shim.so")
BOARD_BYTES, TEXTS, TEXT_BYTES = 1 << 17, 8, 12000

# The differences that are not errors, by the name of their row on the board.
NAMED = {
    "cut": "cut at --depth: equal so far",
    "no_table": "ends at code made at run time: libunwind knows no table for it, either",
    "start_code": "ends at start code without a table: the same",
    "inexact": "ends at a realigned frame that a signal interrupted: equal so far",
    "early": "from before libunwind could be loaded: equal to the C runtime's unwinder",
    "forbidden": "under a seccomp filter: equal to the C runtime's unwinder",
    "forked": "forked amid a check: equal to the C runtime's unwinder",
}


class Checked:
    """What a run left: `ended`, `counts` by row, `texts` of the first differences, and `n_recorded`, the stacks the
    trace knows of."""

    def __init__(self, ended, counts, texts, n_recorded):
        self.ended, self.counts, self.texts, self.n_recorded = ended, counts, texts, n_recorded

    def compared(self):
        return sum(self.counts[row] for row in ("equal", "different", *NAMED))

    def unfinished(self):
        """Stacks during whose check the process died."""
        return self.counts["begun"] - self.compared()

    def faults(self, may_die=False):
        """Why not every recorded stack was found equal, or different by a known name."""
        faults = []
        if self.counts["different"]:
            faults.append(f"{self.counts['different']} of {self.compared()} differ: {(self.texts or ['no text'])[0]}")
        if self.unfinished() and not may_die:
            faults.append(f"{self.unfinished()} of {self.counts['begun']} were not compared")
        if self.n_recorded != self.counts["begun"] and not may_die:
            faults.append(f"{self.n_recorded} stacks recorded, {self.counts['begun']} seen")
        return faults


def read_board(path):
    with open(path, "rb") as file:
        data = file.read()
    n_rows = struct.unpack_from("<Q", data)[0]
    counts = dict.fromkeys(("begun", "different", "equal", "frames", "shared", "interrupted", "all_ways", *NAMED), 0)
    for i in range(n_rows):
        name, value = struct.unpack_from("<32sQ", data, 8 + i * 40)
        counts[name.rstrip(b"\0").decode()] = value
    at = 8 + n_rows * 40
    n_texts = min(struct.unpack_from("<Q", data, at)[0], TEXTS) if n_rows else 0
    texts = []
    for i in range(n_texts):
        text = data[at + 8 + i * TEXT_BYTES:at + 8 + (i + 1) * TEXT_BYTES]
        texts.append(text.split(b"\0")[0].decode(errors="replace"))
    return counts, texts


class CheckedHeapwise:
    """A copy of the command beside the checking shim, in a folder that programs of other users reach."""

    def __init__(self, folder):
        self.folder = folder
        self.shim = shutil.copy(SHIM, os.path.join(folder, "libheapwise-preload.so"))
        self.command = shutil.copy(os.path.realpath(os.path.join(BUILD, "heapwise")), os.path.join(folder, "heapwise"))
        self.board = self.shim + ".board"

    def run(self, command, options=(), **how):
        with open(self.board, "wb") as file:
            file.truncate(BOARD_BYTES)
        os.chmod(self.board, 0o666)
        trace = os.path.join(self.folder, "checked.hwt")
        ended = run([self.command, "run", "--quiet", "-o", trace, *options, "--", *command], **how)
        unwind = finished_report(trace)["coverage"]["unwind"]
        counts, texts = read_board(self.board)
        os.unlink(trace)
        return Checked(ended, counts, texts, unwind["fast"] + unwind["fallback"])
