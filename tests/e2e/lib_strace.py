# SPDX-License-Identifier: MIT
"""What strace(1) sees of a command's input and output: the oracle of the tests of I/O.

calls(command) gives the completed calls of the whole process tree. Those of the dynamic loader are told apart by what
it alone does: it reads 832 bytes that begin an ELF file, and whatever it does with that descriptor until it
closes it is its own.
"""
import collections
import os
import re

from lib_record import run

TRANSFERS = ("read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg", "write", "writev",
             "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "sendfile", "copy_file_range",
             "splice", "tee", "vmsplice")
SYNCS = ("fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync")
COUNTED_IN_MESSAGES = ("recvmmsg", "sendmmsg")  # their results are no bytes
LOADER_READ = 832  # bytes of an ELF file's beginning. Source: glibc elf/dl-load.h, struct filebuf

LINE = re.compile(r"^(\d+) +(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?)(.*)$", re.DOTALL)
UNFINISHED = re.compile(r"^(.*) <unfinished \.\.\.>$", re.DOTALL)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
DESCRIPTOR = re.compile(r"^(-?\d+)(?:<(.*?)>)?(?:,|$)")

Call = collections.namedtuple("Call", "pid name result descriptor path arguments")


def whole_lines(path):
    """(pid, text) of each call, interrupted ones put together."""
    begun = {}
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            found = LINE.match(line.rstrip("\n"))
            if not found:
                continue
            pid, text = int(found.group(1)), found.group(2)
            unfinished, resumed = UNFINISHED.match(text), RESUMED.match(text)
            if unfinished:
                begun[pid] = unfinished.group(1)
            elif resumed:
                yield pid, begun.pop(pid, resumed.group(1) + "(") + resumed.group(2)
            else:
                yield pid, text


def completed(path):
    """Calls that returned; one that the kernel restarts is told again by strace, and counted then."""
    for pid, text in whole_lines(path):
        found = CALL.match(text)
        if not found or found.group(3) == "?" or "ERESTART" in found.group(4):
            continue
        name, arguments = found.group(1), found.group(2)
        where = DESCRIPTOR.match(arguments)
        yield Call(pid, name, int(found.group(3)), int(where.group(1)) if where else -1,
                   (where.group(2) or "") if where else "", arguments)


def is_loaders(call):
    return call.name == "read" and call.arguments.endswith(f", {LOADER_READ}") and '"\\177ELF' in call.arguments


def split_loader(calls):
    """The calls without the loader's, and the loader's."""
    programs, loaders, open_ones = [], [], set()
    for call in calls:
        key = (call.pid, call.descriptor)
        if is_loaders(call):
            open_ones.add(key)
        if call.name == "close":
            open_ones.discard(key)
        (loaders if key in open_ones else programs).append(call)
    return programs, loaders


def calls(command, scratch, **how):
    """Run a command under strace. Returns its Ended, the program's calls and the loader's."""
    path = os.path.join(scratch, "strace.out")
    wanted = ",".join(TRANSFERS + SYNCS + ("close",))
    ended = run(["strace", "-f", "-y", "-qq", "-s", "32", "-e", "signal=none", "-e", f"trace={wanted}", "-o", path, *command], **how)
    programs, loaders = split_loader(list(completed(path)))
    return ended, programs, loaders


def tally(seen, names=TRANSFERS):
    """{call: [how many, how many bytes]}; failed calls count with none."""
    counts = collections.defaultdict(lambda: [0, 0])
    for call in seen:
        if call.name in names:
            counts[call.name][0] += 1
            if call.name not in COUNTED_IN_MESSAGES:
                counts[call.name][1] += max(call.result, 0)
    return dict(counts)
