# SPDX-License-Identifier: MIT
"""Instructions that a part of heapwise executes, counted by Valgrind's callgrind: the same on an idle and a busy machine.

Three ways lead to the three parts, each with the other two running natively beside it:
    shim        a program under callgrind inside `heapwise run`, which stays outside
    collector   `heapwise run` under callgrind, whose command leaves it by its exec
    reader      `heapwise report` under callgrind
A run's count says little, most of it being start-up. The difference of a long and a short run says it all.
"""
import glob
import os
import re

from lib_record import HEAPWISE, run

SECONDS = 60
NAME = re.compile(r"\((\d+)\)(?: (.*))?")
SHIM = "libheapwise-preload.so"
# Which events share a reading of the clock is a matter of time, which runs otherwise under Valgrind.
OPTIONS = ["--exact-times"]
RECORDER = "heapwise"
ZSTD = "libzstd.so"

# Valgrind's own launcher is a static program in which no recording goes on, so the environment of the recording is
# handed to the program behind it, on the command line of env(1).
INSIDE = ('exec valgrind -q --tool=callgrind --trace-children=yes --callgrind-out-file="$0" '
          'env LD_PRELOAD="$LD_PRELOAD" HEAPWISE_SESSION="$HEAPWISE_SESSION" "$@"')


class Counts:
    """Instructions by object file of one callgrind output, and the command that it is of."""

    def __init__(self, path):
        self.command, self.by_object = "", {}
        self.names = {}
        with open(path, encoding="utf-8", errors="replace") as file:
            self.read(file)

    def name(self, text):
        number, name = NAME.match(text).groups()
        if name:
            self.names[number] = name
        return self.names.get(number, "")

    def read(self, file):
        """Callgrind's profile format: a line after `calls=` is the callee's, others with a cost our own."""
        current, of_callee = "", False
        for line in file:
            key, equals, value = line.rstrip("\n").partition("=")
            if line.startswith("cmd: "):
                self.command = line[5:].strip()
            elif key == "ob" and equals:
                current = self.name(value)
            elif key == "cob" and equals:
                self.name(value)
            elif key == "calls" and equals:
                of_callee = True
            elif line[0] in "0123456789+-*":
                fields = line.split()
                if not of_callee and len(fields) > 1:
                    self.by_object[current] = self.by_object.get(current, 0) + int(fields[1])
                of_callee = False

    def inside(self, object_name):
        """Of a library, the beginning of its file's name."""
        return sum(n for name, n in self.by_object.items() if os.path.basename(name).startswith(object_name))

    def everywhere(self):
        return sum(self.by_object.values())


def callgrind(prefix):
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={prefix}.%p"]


def outputs_of(prefix):
    return [Counts(path) for path in glob.glob(prefix + ".*")]


def must_end_well(ended):
    if ended.status != 0:
        raise ValueError(f"ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[-300:]}")


def count_shim(command, folder):
    """Instructions inside the shim while it records a command."""
    prefix, trace = os.path.join(folder, "callgrind"), os.path.join(folder, "shim.hwt")
    must_end_well(run([HEAPWISE, "run", "--quiet", *OPTIONS, "-o", trace, "--", "sh", "-c", INSIDE, prefix + ".%p",
                       *command], seconds=SECONDS))
    ours = [counts for counts in outputs_of(prefix) if counts.command.startswith(command[0])]
    if len(ours) != 1 or not ours[0].inside(SHIM):
        raise ValueError("the shim was not recording under callgrind")
    return ours[0].inside(SHIM)


def count_collector(command, folder):
    """Instructions of the recorder beside a command: of launcher and collector, the one that has more to do. Only its
    own: those of zstd hang on which way of compressing the machine's speed makes it choose."""
    prefix, trace = os.path.join(folder, "callgrind"), os.path.join(folder, "collector.hwt")
    must_end_well(run([*callgrind(prefix), HEAPWISE, "run", "--quiet", *OPTIONS, "-o", trace, "--", *command],
                      seconds=SECONDS))
    return max((counts.inside(RECORDER) for counts in outputs_of(prefix)), default=0)


def count_reader(trace, folder):
    """Instructions of the report of a trace, without zstd's, which hang on the ways the recorder chose."""
    prefix = os.path.join(folder, "callgrind")
    must_end_well(run([*callgrind(prefix), HEAPWISE, "report", trace], seconds=SECONDS))
    return sum(counts.everywhere() - counts.inside(ZSTD) for counts in outputs_of(prefix))

