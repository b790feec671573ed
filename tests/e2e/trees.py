#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole process trees: every process is listed with its parent, its command and its own numbers.

    trees.py [BUILD]
"""
import collections
import os

from lib_record import Folder, Verdicts, record, report, run

MAKEFILE = """\
OBJECTS = one.o two.o three.o four.o five.o six.o
program: $(OBJECTS)
\tgcc -o $@ $(OBJECTS)
%.o: %.c
\tgcc -O1 -c -o $@ $<
"""
MULTIPROCESSING = """\
import multiprocessing, sys
def square(n):
    return [i * n for i in range(1000)][-1]
if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(sum(pool.map(square, range(50))))
"""


def names(found):
    """How often each program is the last image of a process."""
    return collections.Counter(os.path.basename(process["command"][0]) for process in found["processes"]
                               if process["command"])


def well_formed(found, ended, alone):
    """What holds for any tree."""
    faults = []
    if ended.status != alone.status or ended.stdout != alone.stdout or ended.stderr != alone.stderr:
        faults.append(f"differs from the run alone: status {ended.status}, stderr {ended.stderr[-200:]!r}")
    rows = found["processes"]
    ids = {row["id"] for row in rows}
    orphans = [row["pid"] for row in rows[1:] if row["parent_id"] not in ids]
    if orphans:
        faults.append(f"processes without parent: {orphans}")
    if rows[0]["parent_id"] is not None:
        faults.append("the command itself has a parent")
    for key in ("alloc_count", "free_count", "alloc_bytes", "realloc_count"):
        total = sum(row["totals"][key] for row in rows)
        if total != found["totals"][key]:
            faults.append(f"{key}: the processes have {total}, the whole {found['totals'][key]}")
    if found["totals"]["lost_events"] or found["coverage"]["unknown_frees"]:
        faults.append(f"lost {found['totals']['lost_events']}, unknown {found['coverage']['unknown_frees']}")
    if found["coverage"]["unattached_processes"]:
        faults.append(f"unattached {found['coverage']['unattached_processes']}")
    return faults


def needs(found, wanted):
    seen = names(found)
    return [f"{seen[name]} processes {name} instead of {n}: {dict(seen)}" for name, n in wanted.items()
            if seen[name] != n]


def idle(found, programs):
    return [f"{row['command'][0]} ({row['pid']}) has no allocation" for row in found["processes"]
            if row["command"] and os.path.basename(row["command"][0]) in programs
            and row["totals"]["alloc_count"] == 0]


def small_project(folder):
    for name in ("one", "two", "three", "four", "five", "six"):
        main = "int main(void) { return 0; }" if name == "one" else ""
        with open(os.path.join(folder, name + ".c"), "w", encoding="utf-8") as file:
            file.write(f"#include <stdio.h>\nint {name}(int n) {{ return printf(\"%d\", n); }}\n{main}\n")
    with open(os.path.join(folder, "Makefile"), "w", encoding="utf-8") as file:
        file.write(MAKEFILE)


def make_in_parallel(folder):
    small_project(folder)
    # The order of a parallel make's lines is chance: it keeps silent.
    alone = run(["make", "-j4", "-s"], folder=folder)
    for name in os.listdir(folder):
        if name.endswith(".o") or name == "program":
            os.remove(os.path.join(folder, name))
    trace = os.path.join(folder, "make.hwt")
    ended = record(["make", "-j4", "-s"], trace, folder=folder)
    found = report(trace)
    return well_formed(found, ended, alone) + needs(found, {"make": 1, "cc1": 6, "as": 6}) + \
        idle(found, {"make", "cc1", "as", "ld"})


def simple(command, wanted, working=(), at_least=1):
    def check(folder):
        trace = os.path.join(folder, "tree.hwt")
        alone = run(command, folder=folder)
        ended = record(command, trace, folder=folder)
        found = report(trace)
        faults = well_formed(found, ended, alone) + needs(found, wanted) + idle(found, working)
        if len(found["processes"]) < at_least:
            faults.append(f"{len(found['processes'])} processes instead of {at_least}: {dict(names(found))}")
        return faults
    return check


def multiprocessing(method, at_least):
    def check(folder):
        script = os.path.join(folder, "pool.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(MULTIPROCESSING)
        return simple(["/usr/bin/python3", script, method], {}, {"python3"}, at_least)(folder)
    return check


CASES = {
    "make -j4": make_in_parallel,
    "pipeline": simple(["sh", "-c", "seq 1 20000 | sort -r | uniq | wc -l"],
                       {"sh": 1, "seq": 1, "sort": 1, "uniq": 1, "wc": 1}, {"sort"}, 5),
    "nested shells": simple(["bash", "-c", "echo $(echo $(echo $(echo deep))); (exit 3); echo $?"],
                            {}, {}, 5),
    "multiprocessing by fork": multiprocessing("fork", 3),
    "multiprocessing by spawn": multiprocessing("spawn", 4),
    "empty environment": simple(["env", "-i", "/usr/bin/python3", "-c", "print(sum(range(9)))"],
                                {"python3": 1}, {"python3"}),
    "empty environment below a shell":
        simple(["sh", "-c", "env -i /usr/bin/perl -e 'print 7 x 3'; exec env -i /bin/ls /"],
               {"perl": 1, "ls": 1}, {"perl", "ls"}, 2),
    "background child that outlives": simple(["sh", "-c", "(sleep 0.3; /bin/ls / >/dev/null) & exit 5"],
                                             {"ls": 1}, {"ls"}, 3),
    "xargs -P": simple(["sh", "-c", "seq 1 12 | xargs -P4 -n1 /usr/bin/expr 1 + | sort -n"],
                       {"expr": 12}, (), 14),
}


def main():
    verdicts = Verdicts()
    for name, check in CASES.items():
        with Folder() as folder:
            try:
                faults = check(folder)
            except (ValueError, KeyError, TypeError, OSError) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(f"tree: {name}", faults)
    verdicts.end()


main()
