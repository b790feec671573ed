#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the I/O of real programs against strace's, call by call, and against the kernel's own counters.

    io_exact.py [BUILD] [NAME...]

Each program runs natively under strace and then under heapwise, on equal files. Calls and bytes of the whole process
tree must be the same but for what EXCEPTIONS names: calls that a C library makes by itself, past every
function that can be interposed. Those are counted in strace's log and must be found missing exactly.
"""
import os
import re
import shutil
import sys

import lib_io
import lib_strace
from lib_record import Folder, Verdicts, record, report

NAMES = [name for name in sys.argv[1:] if not os.path.isdir(name)]

# Files that the C library reads with system calls of its own, and when.
EXCEPTIONS = {
    "/sys/devices/system/cpu/online": "sysconf and malloc ask for the number of processors",
    "/sys/devices/system/cpu": "the same on kernels without that file",
    "/proc/sys/vm/overcommit_memory": "malloc gives memory back",
    "/proc/sys/kernel/ngroups_max": "sysconf",
    "/proc/stat": "sysconf",
    "/proc/meminfo": "sysconf",
}
# Files of the kernel that say what is mapped where: with the shim they are longer. Left out of both sides.
OWN_MAPS = re.compile(r"^/proc/\d+/(maps|smaps)$")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def lines(n):
    return "".join(f"{i * 7919 % n} word{i % 97} line {i}\n" for i in range(n))


def prepare(folder):
    """The files that all programs work on; small enough for strace to be quick."""
    write(os.path.join(folder, "text"), lines(3000))
    write(os.path.join(folder, "source.c"), "#include <stdio.h>\nint main(void) { return printf(\"%d\\n\", 1) < 0; }\n")
    write(os.path.join(folder, "script.sql"), "CREATE TABLE t(a, b);\nBEGIN;\n" + "".join(
        f"INSERT INTO t VALUES({i}, 'name {i}');\n" for i in range(300)) + "COMMIT;\nCREATE INDEX i ON t(b);\n"
        "SELECT count(*) FROM t WHERE b LIKE '%9';\n")
    os.makedirs(os.path.join(folder, "tree", "below"), exist_ok=True)
    for i in range(5):
        write(os.path.join(folder, "tree", "below", f"file{i}"), lines(200 + i))


def shell(text):
    return ["sh", "-c", text]


def programs(folder):
    text = os.path.join(folder, "text")
    repository = os.path.join(folder, "repository")
    rows = {
        "sort": ["sort", text],
        "sed": ["sed", "s/word/WORD/", text],
        "md5sum": ["md5sum", text],
        "wc": ["wc", text],
        "grep": ["grep", "-c", "word9", text],
        "awk": ["awk", "{ n += $1 } END { print n }", text],
        "perl": ["perl", "-ne", "$n += length; END { print \"$n\\n\" }", text],
        "python3": ["/usr/bin/python3", "-S", "-c", f"print(sum(len(line) for line in open({text!r})))"],
        "curl": ["curl", "-s", f"file://{text}"],
        "gcc": ["gcc", "-c", "-O2", os.path.join(folder, "source.c"), "-o", os.path.join(folder, "source.o")],
        "tar": ["tar", "-cf", os.path.join(folder, "tree.tar"), "-C", folder, "tree"],
        "tar_gz": ["tar", "-czf", os.path.join(folder, "tree.tgz"), "-C", folder, "tree"],
        "sqlite3": shell(f"rm -f {folder}/db; exec sqlite3 {folder}/db '.read {folder}/script.sql'"),
        "dd": ["dd", f"if={text}", f"of={folder}/copy.dd", "bs=1000", "status=none"],
        "cp": ["cp", text, os.path.join(folder, "copy")],
        "cat": ["cat", text, text],
        "shell": shell(f"head -n 5 {text} | tr a-z A-Z; cat < {text} > /dev/null; echo done"),
        "git": ["git", "-C", repository, "log", "--stat"],
    }
    return {name: command for name, command in rows.items() if not NAMES or name in NAMES}


def make_repository(folder):
    """A history of a few commits, made once and read by both runs."""
    path = os.path.join(folder, "repository")
    os.makedirs(path)
    who = "-c user.name=n -c user.email=e@x -c commit.gpgsign=false -c init.defaultBranch=main -c maintenance.auto=false"
    commits = "".join(f"seq {i} {i * 40} > f{i % 3}; git add .; git {who} commit -qm 'change {i}'\n" for i in range(1, 8))
    return os.system(f"cd {path} && git {who} init -q . && {{ {commits} }} >/dev/null 2>&1") == 0


def missing_of(calls):
    """What heapwise cannot see, counted in strace's log, and the names of the files."""
    beyond = [call for call in calls if call.path in EXCEPTIONS]
    return lib_strace.tally(beyond), sorted({call.path for call in beyond})


def subtract(counts, less):
    left = {name: [count[0] - less.get(name, [0, 0])[0], count[1] - less.get(name, [0, 0])[1]]
            for name, count in counts.items()}
    return {name: count for name, count in left.items() if count != [0, 0]}


def kernel_faults(found, seen):
    """The kernel's count of the command and what it waited for, where there is one, covers all that was seen."""
    kernel = found["coverage"].get("io_kernel")
    if not kernel or not kernel["comparable"]:
        return []
    reads = sum(seen.get(name, [0, 0])[0] for name in ("read", "readv", "pread64", "preadv", "preadv2"))
    writes = sum(seen.get(name, [0, 0])[0] for name in ("write", "writev", "pwrite64", "pwritev", "pwritev2"))
    return [f"the kernel counted {kernel[key]} {key}, {n} were recorded" for key, n in
            (("read_calls", reads), ("write_calls", writes)) if kernel[key] < n]


def total_faults(found, seen):
    """The report's totals are sums of the trace's calls."""
    totals = found["totals"]
    if "io_calls" not in totals:
        return ["the report has no io_calls"]
    n_reads = sum(n for name, (n, _) in seen.items() if name.startswith(("read", "pread", "recv")))
    n_writes = sum(n for name, (n, _) in seen.items() if name.startswith(("write", "pwrite", "send", "vmsplice"))
                   and name != "sendfile")
    n_copies = sum(seen.get(name, [0, 0])[0] for name in ("sendfile", "copy_file_range", "splice", "tee"))
    faults = [f"{key} {totals[key]}, the trace has {n}" for key, n in
              (("io_read_calls", n_reads + n_copies), ("io_write_calls", n_writes + n_copies)) if totals[key] != n]
    by_site = sum(site["calls"] for site in found["io_sites"] if site["op"] in lib_strace.TRANSFERS
                  or site["op"] in lib_io.KERNEL_NAMES)
    if by_site != n_reads + n_writes + n_copies:
        faults.append(f"io_sites sum to {by_site} transfers, the trace has {n_reads + n_writes + n_copies}")
    return faults


def judge(command, folder):
    """Returns the faults, and the excepted files."""
    alone, programs_calls, _ = lib_strace.calls(command, folder, folder=folder)
    programs_calls = [call for call in programs_calls if not OWN_MAPS.match(call.path)]
    missing, excepted = missing_of(programs_calls)
    expected = subtract(lib_strace.tally(programs_calls), missing)
    trace = os.path.join(folder, "io.hwt")
    ended = record(command, trace, folder=folder)
    records = lib_io.with_paths(lib_io.records(trace))
    seen = lib_io.tally(records)
    comparable = [record for record in records if not OWN_MAPS.match(record.get("path", ""))]
    faults = lib_io.differences(expected, lib_io.tally(comparable))
    if (ended.status, ended.stdout) != (alone.status, alone.stdout):
        faults.append(f"status {ended.status} or output differ from the native run's ({alone.status})")
    found = report(trace)
    if found["totals"]["lost_events"]:
        faults.append(f"lost_events {found['totals']['lost_events']}")
    return faults + kernel_faults(found, seen) + total_faults(found, seen), excepted


def main():
    verdicts = Verdicts()
    with Folder() as folder:
        prepare(folder)
        has_history = bool(shutil.which("git")) and make_repository(folder)
        for name, command in programs(folder).items():
            if not shutil.which("strace") or not shutil.which(command[0]) or (name == "git" and not has_history):
                verdicts.skip(f"io_exact {name}", "strace or the program is not installed")
                continue
            try:
                faults, excepted = judge(command, folder)
            except ValueError as error:
                faults, excepted = [error], []
            verdicts.say(f"io_exact {name}" + (f" (but {', '.join(excepted)})" if excepted else ""), faults)
    verdicts.end()


if __name__ == "__main__":
    main()
