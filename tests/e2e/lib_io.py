# SPDX-License-Identifier: MIT
"""What a trace says of I/O, record by record: read by `heapwise dump`, counted here.

Holds the trace against strace: same calls, same bytes, whole process trees.
"""
import collections
import json

from lib_record import HEAPWISE, run
from lib_strace import COUNTED_IN_MESSAGES, TRANSFERS

KERNEL_NAMES = {"aio_read": "pread64", "aio_write": "pwrite64"}  # what a helper thread of libc's calls


def records(trace):
    """Every record of the trace as a dictionary."""
    ended = run([HEAPWISE, "dump", trace])
    if ended.status != 0:
        raise ValueError(f"dump ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def with_paths(found):
    """The records, those of transfers with the path their descriptor led to; good for programs with one thread."""
    paths = {}
    for record in found:
        kind, key = record["record"], (record.get("stream"), record.get("fd"))
        if kind == "fd_is":
            paths[key] = record["name"]
        elif kind == "fd_close":
            for fd in range(record["first"], min(record["last"], record["first"] + 4096) + 1):
                paths.pop((record["stream"], fd), None)
        elif kind in ("io", "stdio"):
            record["path"] = paths.get(key, "")
    return found


def transfers(found):
    """The records of calls that moved bytes, or might have."""
    return [record for record in found if record["record"] in ("io", "stdio") and
            KERNEL_NAMES.get(record["op"], record["op"]) in TRANSFERS]


def tally(found):
    """{call: [how many, how many bytes]}, as lib_strace.tally() gives them."""
    counts = collections.defaultdict(lambda: [0, 0])
    for record in transfers(found):
        name = KERNEL_NAMES.get(record["op"], record["op"])
        counts[name][0] += 1
        if name not in COUNTED_IN_MESSAGES:
            counts[name][1] += max(record["result"], 0)
    return dict(counts)


def differences(expected, seen):
    """One line for each call of which not the same was seen."""
    return [f"{name}: {seen.get(name, [0, 0])} recorded, strace says {expected.get(name, [0, 0])}"
            for name in sorted(set(expected) | set(seen))
            if list(expected.get(name, [0, 0])) != list(seen.get(name, [0, 0]))]
