#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what is known of I/O sites' habits against what a victim knows of itself.

    io_habits.py [BUILD]

The victim's rows (tests/victims/io_habits.c) are compared with what print-habits says of its trace.
"""
import json
import os

from lib_record import BUILD, Folder, Verdicts, record, run
from victims import VICTIMS, rows_of

LARGEST = {"whole_file_bytes", "longest_dry_run"}
BEFORE = {("await", "reply"): "ask", ("write_body", "adjacent"): "write_head", ("write_head", "adjacent"): "write_body"}


def habits_of(trace):
    """The lines of print-habits."""
    ended = run([os.path.join(BUILD, "tests", "print-habits"), trace])
    if ended.status != 0:
        raise ValueError(f"print-habits: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def found_at(lines, function, metric):
    """[path.]CALL.KEY over all lines of the function; None where there is none."""
    *kind, call, key = metric.split(".", 2 if metric.startswith("path.") else 1)
    values = []
    for line in lines:
        if line["kind"] != ("path_site" if kind else "io_site") or line["function"] != function or line["op"] != call:
            continue
        for part in key.split("."):
            line = line[part]
        values.append(line)
    return (max if key in LARGEST else sum)(values) if values else None


def row_faults(lines, rows):
    found = {(function, metric): found_at(lines, function, metric) for function, metric, _, _ in rows}
    faults = [f"{function} {metric} is {value}, found {found[function, metric]}"
              for function, metric, _, value in rows if found[function, metric] != value]
    return faults if rows else ["the victim said nothing"]


def before_faults(lines):
    """The call before is named by its function."""
    seen = {(line["function"], habit): line[habit].get("function") for line in lines if line["kind"] == "io_site"
            for habit in ("adjacent", "reply") if line[habit]["count"]}
    return [f"{habit} of {function} after {seen.get((function, habit))}, not {name}"
            for (function, habit), name in BEFORE.items() if seen.get((function, habit)) != name]


def time_faults(lines):
    """No part takes longer than all of it."""
    return [f"{line['function']}: {line['reply_seconds']} s of replies" for line in lines
            if line["kind"] == "io_site" and line["reply"]["count"] and not 0 < line["reply_seconds"] < 60]


def main():
    verdicts = Verdicts()
    with Folder() as folder:
        trace, counts = os.path.join(folder, "habits.hwt"), os.path.join(folder, "counts")
        ended = record([os.path.join(VICTIMS, "io_habits")], trace,
                       environment={"VICTIM_EXPECT": counts, "VICTIM_FOLDER": folder})
        if ended.status != 0:
            verdicts.say("io_habits", [f"status {ended.status}: {ended.stderr.decode(errors='replace')[:200]}"])
            verdicts.end()
        lines = habits_of(trace)
        verdicts.say("io_habits counts", row_faults(lines, rows_of(counts)))
        verdicts.say("io_habits calls before", before_faults(lines))
        verdicts.say("io_habits times", time_faults(lines))
    verdicts.end()


if __name__ == "__main__":
    main()
