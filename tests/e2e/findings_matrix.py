#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record every fixture and its corrected twin and look at what `findings` says of them.

    findings_matrix.py [BUILD] [PROGRAM...]

A rule must fire on its own program, at the line that the source marks, with parameters that hold; it must be silent on the
corrected twin, and nothing above low may be said of any program by another rule. Twins print the same. At the
end a matrix shows which rule spoke where, by the first letter of its severity (of the bad programs; then of the twins).
"""
import json
import os
import shutil
import sys

from lib_record import BUILD, HEAPWISE, ROOT, Folder, Verdicts, record, run

FIXTURES = os.path.join(BUILD, "tests", "fixtures")
SOURCES = os.path.join(ROOT, "tests", "fixtures")
SEVERITIES = ["info", "low", "medium", "high", "critical"]


def pool(finding):
    return finding["suggestion"]["pool"]


def reserve(finding):
    return finding["suggestion"]["reserve"]


def arena(finding):
    return finding["suggestion"]["arena"]


def buffer(finding):
    return finding["suggestion"]["buffer"]


def saved(finding, what):
    return finding["opportunity"]["saves"][what]


# The program, the rule it trips, and what must be true of the finding. `others` are rules that rightly have something to
# say of the same blocks.
ROWS = [
    {"program": "object_pool", "rule": "AL101",
     "check": lambda f: pool(f)["object_bytes"] == 1536 and pool(f)["max_live"] == 64 <= pool(f)["recommended_slots"] <= 65
     and pool(f)["scope"] == "global"},
    {"program": "stack_buffer", "rule": "AL102",
     "check": lambda f: buffer(f) == {"bytes": 147, "calls_before": 100000, "calls_after": 0}},
    {"program": "hoisted_buffer", "rule": "AL103",
     "check": lambda f: buffer(f) == {"bytes": 8192, "calls_before": 40000, "calls_after": 1}},
    {"program": "temporary_storm", "rule": "AL104", "check": lambda f: f["evidence"]["value"] == 50000},
    {"program": "realloc_staircase", "rule": "AL110",
     "check": lambda f: reserve(f)["final_bytes"] == 4000 and reserve(f)["growth_steps"] == 49900},
    {"program": "container_growth", "rule": "AL111",
     "check": lambda f: reserve(f) == {"final_bytes": 16384, "growth_steps": 6000, "copied_bytes": 8190000}},
    {"program": "growing_leak", "rule": "AL120",
     "check": lambda f: f["evidence"]["value"] == 960000 and f["evidence"]["count"] == 10000},
    {"program": "initial_leak", "rule": "AL121",
     "check": lambda f: f["evidence"]["value"] == 262144 and f["severity"] in ("info", "low")},
    {"program": "peak_spike", "rule": "AL122",
     "check": lambda f: f["evidence"]["value"] == 64 * 262144 and saved(f, "peak_bytes") <= 64 * 262144},
    {"program": "arena", "rule": "AL130",
     "check": lambda f: arena(f)["blocks"] == 12286 and arena(f)["released_together_pct"] == 100
     and "2 places" in f["title"]},
    {"program": "size_class_slack", "rule": "AL131",
     "check": lambda f: "24 B would fit" in f["suggestion"]["text"] and saved(f, "peak_bytes") == 20000},
    {"program": "over_aligned", "rule": "AL132", "check": lambda f: f["evidence"]["value"] == 900},
    {"program": "fleeting_calloc", "rule": "AL133",
     "check": lambda f: buffer(f)["bytes"] == 262144 and 1500 <= saved(f, "allocations") <= 1960},
    {"program": "cross_thread_free", "rule": "AL134",
     "check": lambda f: f["evidence"]["value"] == 50000 and 0 < buffer(f)["calls_after"] <= 258},
    {"program": "pinned_memory", "rule": "AL135", "check": lambda f: "pass" in f["suggestion"]["text"]},
]
try:
    from findings_io_rows import ROWS as IO_ROWS
    ROWS += IO_ROWS
except ImportError:
    pass


def findings(trace, row=None):
    """All that is said of a trace. Raises ValueError with one line when the command fails."""
    config = ["--config", row["config"]] if row and row.get("config") else []
    ended = run([HEAPWISE, "findings", "--format", "json", "--top", "0", *config, trace])
    if ended.status != 0:
        raise ValueError(f"findings ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return json.loads(ended.stdout)["hotspots"]


def recorded(command, trace, row=None):
    """What the program printed under heapwise, and what is said of it."""
    ended = record(command, trace, row.get("options", ()) if row else ())
    if ended.status != 0:
        raise ValueError(f"ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return ended.stdout, findings(trace, row)


def source_of(program):
    for suffix in (".c", ".cpp"):
        path = os.path.join(SOURCES, program + suffix)
        if os.path.exists(path):
            return path
    raise ValueError(f"no source of {program}")


def marked_line(program, rule):
    with open(source_of(program)) as file:
        for number, line in enumerate(file, 1):
            if f"/* {rule} here */" in line:
                return number
    raise ValueError(f"no line of {program} is marked with {rule}")


def said(finding):
    return f"{finding['rule']} {finding['severity']} at {finding['function']}:{finding['line']}: {finding['title']}"


def own_faults(row, found):
    """The rule's own finding: once, at its line, with parameters that hold."""
    own = [finding for finding in found if finding["rule"] == row["rule"]]
    line = marked_line(row["program"], row["rule"])
    if len(own) != 1:
        return [f"{row['rule']} fired {len(own)} times"] + [said(finding) for finding in found]
    faults = []
    if own[0]["line"] != line:
        faults.append(f"at line {own[0]['line']}, not {line}")
    if not row["check"](own[0]):
        faults.append(f"parameters: {json.dumps(own[0]['suggestion'])} {json.dumps(own[0]['evidence'])}")
    return faults


def above_low(found, but=()):
    return [said(finding) for finding in found
            if SEVERITIES.index(finding["severity"]) > SEVERITIES.index("low") and finding["rule"] not in but]


def fired(found, rule):
    return [said(finding) for finding in found if finding["rule"] == rule]


def try_row(row, folder, verdicts):
    """Both twins; returns what was said of each."""
    name, rule = row["program"], row["rule"]
    programs = [os.path.join(FIXTURES, f"{name}_{twin}") for twin in ("bad", "fixed")]
    work = os.path.join(folder, name)
    os.mkdir(work)
    alone = [run([program, work]) for program in programs]
    verdicts.say(f"{name}: twins print the same",
                 [] if alone[0].stdout == alone[1].stdout and alone[0].stdout and alone[0].status == alone[1].status == 0
                 else [f"{ended.status} {ended.stdout[:80]}" for ended in alone])
    found = []
    for program in programs:
        output, hotspots = recorded([program, work], os.path.join(folder, "trace.hwt"), row)
        found.append(hotspots)
        if output != alone[0].stdout:
            verdicts.say(f"{name}: prints the same when recorded", [output[:80]])
    verdicts.say(f"{name}: {rule} at its line, with its numbers", own_faults(row, found[0]))
    verdicts.say(f"{name}: no other rule above low", above_low(found[0], (rule, *row.get("others", ()))))
    verdicts.say(f"{name}: the twin has no {rule}, nothing above low",
                 fired(found[1], rule) + above_low(found[1], row.get("others", ())))
    return found


def try_plain(command, folder, verdicts):
    found = recorded(command, os.path.join(folder, "trace.hwt"))[1]
    verdicts.say(f"{os.path.basename(command[0])}: nothing above low", above_low(found))


def print_matrix(rows, seen):
    """A line for each rule, a column for each program; two letters where the twin was spoken of, too."""
    rules = sorted({finding["rule"] for pair in seen for found in pair for finding in found} | {row["rule"] for row in rows})
    width = max(len(row["program"]) for row in rows)
    print("# rule x program: first letter of the severity for the bad program, then for its twin")
    print("# " + " " * width + " " + " ".join(rules))
    for row, pair in zip(rows, seen):
        cells = ["".join(max((finding["severity"] for finding in found if finding["rule"] == rule), key=SEVERITIES.index,
                             default=".")[0] for found in pair) for rule in rules]
        print("# " + row["program"].ljust(width) + " " + " ".join(cell.center(5) for cell in cells))


def main():
    verdicts = Verdicts()
    wanted = sys.argv[2:]
    rows = [row for row in ROWS if not wanted or row["program"] in wanted]
    rows = [row for row in rows if os.path.exists(os.path.join(FIXTURES, row["program"] + "_bad"))]
    seen = []
    with Folder() as folder:
        for row in rows:
            try:
                seen.append(try_row(row, folder, verdicts))
            except (ValueError, KeyError, TypeError) as error:
                verdicts.say(f"{row['program']}: findings", [f"{type(error).__name__} {error}"])
                seen.append([[], []])
        small = os.path.join(folder, "small")
        with open(small, "w") as file:
            file.write("a few words\n" * 50)
        for command in [] if wanted else [["true"], ["ls", "-l", "/"], ["cat", small]]:
            try_plain([shutil.which(command[0]), *command[1:]], folder, verdicts)
    if rows:
        print_matrix(rows, seen)
    verdicts.end()


if __name__ == "__main__":
    main()
