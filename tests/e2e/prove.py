#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Suggestions are tried by replaying: which findings get a measurement, and whether what stands in for the allocator
serves the calls it should, to the last one. Nothing here depends on speed.

    prove.py [BUILD]
"""
import json
import os
import shutil

from lib_record import BUILD, HEAPWISE, ROOT, Folder, Verdicts, record, report, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

FIXTURES = os.path.join(BUILD, "tests", "fixtures")
SCHEMA = os.path.join(ROOT, "docs", "schemas", "findings-1.schema.json")
# The program, its rule, and the technique that is tried; None where there is nothing to try.
ROWS = [
    ("object_pool", "AL101", "pool"),
    ("stack_buffer", "AL102", "stack"),
    ("hoisted_buffer", "AL103", "reuse"),
    ("temporary_storm", "AL104", "reuse"),
    ("realloc_staircase", "AL110", "reserve"),
    ("container_growth", "AL111", "reserve"),
    ("arena", "AL130", "arena"),
    ("cross_thread_free", "AL134", "pool"),
    ("growing_leak", "AL120", None),
    ("initial_leak", "AL121", None),
    ("size_class_slack", "AL131", None),
    ("tiny_write", "IO201", None),
]
OVERFLOWING = {"cross_thread_free"}  # a replay's threads may have more live at once than the program had


def fixture(name):
    return os.path.join(FIXTURES, name + "_bad")


def document(command, *arguments):
    """A command's JSON. Raises ValueError where there is none, or where it had something to say."""
    ended = run([HEAPWISE, command, "--format", "json", *arguments])
    if ended.status != 0 or ended.stderr:
        raise ValueError(f"{command} ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return json.loads(ended.stdout)


def check_schema(found):
    if not jsonschema:
        return []
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(found)]


def measurement(found, rule):
    spots = [spot for spot in found["hotspots"] if spot["rule"] == rule]
    if len(spots) != 1:
        raise ValueError(f"{rule} fired {len(spots)} times")
    return spots[0]["opportunity"]["measured"]


def proved(trace, rule, technique):
    """Faults of the measurement that `findings --prove` gives."""
    found = document("findings", "--top", "0", "--prove", "--runs", "2", trace)
    faults, measured = check_schema(found), measurement(found, rule)
    if measurement(document("findings", "--top", "0", trace), rule) is not None:
        faults.append("measured without --prove")
    if technique is None:
        return faults + ([f"measured {measured}"] if measured is not None else [])
    if measured is None:
        return faults + ["not measured"]
    if [measured["by"], measured["runs"]] != ["replay --pools", 2]:
        faults.append(f"by {measured['by']} in {measured['runs']} runs")
    return faults + [f"{key} is {measured[key]}" for key in ("seconds_before", "seconds_after", "peak_bytes_before",
                                                            "peak_bytes_after")
                     if not isinstance(measured[key], (int, float)) or measured[key] < 0]


def served(trace, name, technique):
    """Faults of the rows of `replay --pools`, held against the report's counts."""
    replayed = document("replay", "--pools", "--runs", "1", "--allocator", "native", trace)
    sites = {site["id"]: site for site in report(trace)["call_sites"]}
    rows = replayed["rows"]
    faults = [] if [variant["plan_rows"] for variant in replayed["variants"]] == ["none", "all"] else ["other variants"]
    if technique not in {row["technique"] for row in rows}:
        faults.append(f"no {technique} among {[row['technique'] for row in rows]}")
    if len({row["site"] for row in rows}) != len(rows):
        faults.append("a site has two rows")
    for row in rows:
        site = sites[row["site"]]
        calls = site["alloc_count"] + site["realloc_count"]
        if not row["found"] or row["served"] + row["overflowed"] != calls or row["freed"] != site["free_count"]:
            faults.append(f"{row} of {calls} calls, {site['free_count']} frees")
        if row["overflowed"] and name not in OVERFLOWING:
            faults.append(f"{row['overflowed']} of {calls} overflowed")
    return faults


def nothing_to_try(trace):
    """One line that says so, and the recording is replayed as it is."""
    ended = run([HEAPWISE, "replay", "--pools", "--runs", "1", "--allocator", "native", "--format", "json", trace])
    lines = ended.stderr.decode(errors="replace").splitlines()
    faults = [] if ended.status == 0 and len(lines) == 1 and "suggest nothing" in lines[0] else [f"{ended.status}, {lines}"]
    return faults + ([] if json.loads(ended.stdout)["rows"] == [] else ["there are rows"])


def one_fixture(verdicts, folder, name, rule, technique):
    trace = os.path.join(folder, "trace.hwt")
    ended = record([fixture(name), folder], trace)
    if ended.status != 0:
        raise ValueError(f"{name} ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    verdicts.say(f"prove {name}: {technique or 'nothing'} is measured", proved(trace, rule, technique))
    if technique:
        verdicts.say(f"prove {name}: served to the last call", served(trace, name, technique))
    else:
        verdicts.say(f"prove {name}: nothing to replay with", nothing_to_try(trace))


def other_processes(folder):
    """Findings are of all processes, a replay is of one: the other ones' places go without a word."""
    trace = os.path.join(folder, "trace.hwt")
    command = " && ".join(f'"{fixture(name)}" "{folder}"' for name in ("object_pool", "stack_buffer"))
    record(["sh", "-c", command], trace)
    rows = document("replay", "--pools", "--runs", "1", "--allocator", "native", trace)["rows"]
    found = [row for row in rows if row["served"] + row["overflowed"]]
    return [] if found and len(found) < len(rows) else [f"{len(found)} of {len(rows)} rows are the process's"]


def without_replayer(folder):
    """The command where no replayer lies: a copy of it alone."""
    command = os.path.join(folder, "heapwise")
    shutil.copy(os.path.realpath(HEAPWISE), command)
    return command


def check_refusals(verdicts, folder):
    """Each ends with 2 and one line that says why, and nothing on standard output."""
    trace, plan = os.path.join(folder, "trace.hwt"), os.path.join(folder, "plan.json")
    record([fixture("object_pool"), folder], trace)
    with open(plan, "w", encoding="utf-8") as file:
        file.write("[]")
    alone = without_replayer(folder)
    rows = [
        ([HEAPWISE, "findings", "--prove", "-"], "twice"),
        ([HEAPWISE, "findings", "--prove", "--runs", "0", trace], "1 to"),
        ([HEAPWISE, "findings", "--prove", "--runs", "1001", trace], "1 to"),
        ([HEAPWISE, "findings", "--prove", "--runs", "many", trace], "--runs"),
        ([HEAPWISE, "findings", "--prove", "--runs", "-1", trace], "--runs"),
        ([HEAPWISE, "findings", "--prove", folder], folder),
        ([alone, "findings", "--prove", "--runs", "1", trace], "heapwise-replayer"),
        ([alone, "replay", "--pools", "--runs", "1", trace], "heapwise-replayer"),
        ([HEAPWISE, "replay", "--pools", "-"], "twice"),
        ([HEAPWISE, "replay", "--pools", "--runs", "0", trace], "1 to"),
        ([HEAPWISE, "replay", "--pools", "--plan", plan, trace], "only one"),
    ]
    for command, word in rows:
        ended = run(command)
        lines = ended.stderr.decode(errors="replace").splitlines()
        fine = ended.status == 2 and not ended.stdout and len(lines) == 1 and word in lines[0]
        words = [word for word in command[1:] if word != trace]
        verdicts.say(f"prove: refused {' '.join(words).replace(folder, 'DIR')}{' alone' if command[0] == alone else ''}",
                     [] if fine else [f"{ended.status}, {lines}, {ended.stdout[:80]}"])


def main():
    verdicts = Verdicts()
    for name, rule, technique in ROWS:
        if not os.path.exists(fixture(name)):
            verdicts.skip(f"prove {name}", "it is not built here")
            continue
        with Folder() as folder:
            try:
                one_fixture(verdicts, folder, name, rule, technique)
            except (ValueError, KeyError, TypeError) as error:
                verdicts.say(f"prove {name}", [f"{type(error).__name__} {error}"])
    with Folder() as folder:
        try:
            faults = other_processes(folder)
        except (ValueError, KeyError) as error:
            faults = [f"{type(error).__name__} {error}"]
        verdicts.say("prove: places of other processes", faults)
    with Folder() as folder:
        check_refusals(verdicts, folder)
    verdicts.end()


if __name__ == "__main__":
    main()
