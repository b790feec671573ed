#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what a pair of malloc and free, or a call of I/O, costs in instructions against tests/budgets.txt.

    budgets.py [BUILD] [--renew]

Each row of that file names a part of heapwise, what is done (a program of bench/ that asks for blocks, or a call of
I/O), and how many instructions a pair or a call may take in that part. With --renew the rows get what is measured now
and its margin on top.
"""
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

from lib_counts import OPTIONS, count_collector, count_reader, count_shim
from lib_record import BUILD, ROOT, Folder, Verdicts, record, run

BUDGETS = os.path.join(ROOT, "tests", "budgets.txt")
ROW = re.compile(r"(?P<part>shim|collector|reader) +(?P<program>\w+)(?: depth (?P<depth>\d+))? +(?P<budget>\d+)$")
MARGIN = 1.08
# Pairs or calls of the short and of the long run: few, since callgrind is slow, but enough that rare work (a chunk, a table
# that grows) has its share.
PAIRS = {"shim": (2000, 14000), "collector": (20000, 80000), "reader": (20000, 60000)}
IO_CALLS = ("fputc", "fwrite", "open", "pread")  # of bench/io_calls.c
WORKERS = 2  # counts do not mind company
SPARE = 0.7  # below that share of its budget, a cost has shrunk so far that the budget guards nothing


def command_of(row, n_parts):
    name, n = row["program"], str(n_parts)
    if name == "dd":
        return [shutil.which("dd"), "if=/dev/zero", "of=/dev/null", "bs=64", f"count={n_parts // 2}", "status=none"]
    if name in IO_CALLS:
        return [os.path.join(BUILD, "bench", "io_calls"), name, n]
    path = os.path.join(BUILD, "bench", name)
    return [path, n, row["depth"], "1"] if row["depth"] else [path, n]


def count(row, n_parts):
    command = command_of(row, n_parts)
    with Folder() as folder:
        if row["part"] == "shim":
            return count_shim(command, folder)
        if row["part"] == "collector":
            return count_collector(command, folder)
        trace = os.path.join(folder, "reader.hwt")
        record(command, trace, OPTIONS)
        return count_reader(trace, folder)


def measure(row):
    """Instructions per pair or call: what the long run has more than the short one, whose start-up it shares."""
    short, long = PAIRS[row["part"]]
    return (count(row, long) - count(row, short)) / (long - short)


def conditions():
    """How the programs were built, in the words of the file: the same source has other counts elsewhere."""
    shim = os.path.join(BUILD, "preload", "libheapwise-preload.so")
    comment = run(["readelf", "-p", ".comment", shim]).stdout.decode(errors="replace")
    compiler = re.search(r"GCC: \(.*\) (\d+)", comment)
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
        options = {option["name"]: option["value"] for option in json.load(file)}
    return f"built by gcc {compiler.group(1) if compiler else '?'}, {options['buildtype']}"


def read_budgets():
    with open(BUDGETS, encoding="utf-8") as file:
        return file.read().splitlines()


def renew(lines):
    for i, line in enumerate(lines):
        row = ROW.match(line)
        if row:
            lines[i] = line[:row.start("budget")] + str(round(measure(row) * MARGIN))
            print(lines[i], flush=True)
        elif line.startswith("built by "):
            lines[i] = conditions()
    with open(BUDGETS, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def judge(row):
    """Faults, and what is to be said beside them."""
    budget = int(row["budget"])
    try:
        found = measure(row)
    except (ValueError, OSError) as error:
        return [str(error)], ""
    remark = f"# {found:.1f} instructions, budget {budget}"
    if found < SPARE * budget:
        remark += ": renew it, that it may guard what was won"
    return ([] if found <= budget else [f"{found:.1f} instructions, the budget is {budget}"]), remark


def judge_all(lines, verdicts):
    rows = [row for row in map(ROW.match, lines) if row]
    with ThreadPoolExecutor(WORKERS) as pool:
        for row, (faults, remark) in zip(rows, pool.map(judge, rows)):
            title = " ".join(filter(None, (f"budgets: {row['part']}, {row['program']}", row["depth"])))
            verdicts.say(title, faults)
            print(remark, flush=True)


def main():
    verdicts, lines = Verdicts(), read_budgets()
    if not shutil.which("valgrind"):
        verdicts.skip("budgets", "no valgrind here")
    elif "--renew" in sys.argv:
        renew(lines)
    elif conditions() not in lines:
        verdicts.skip("budgets", f"{conditions()}; the budgets are of another build")
    else:
        judge_all(lines, verdicts)
    verdicts.end()


main()
