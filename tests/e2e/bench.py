#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison of bench/ runs, says what it must, and computes what it says. Nothing here depends on speed.

    bench.py [BUILD]
"""
import json
import os
import shutil
import sys

from lib_record import BUILD, ROOT, Folder, Verdicts, run

sys.path.insert(0, os.path.join(ROOT, "bench"))
from figures import Figures, added_ratio, times_native, value_of  # noqa: E402
from runs import run as bounded  # noqa: E402

LEAST_EVENTS = {"jq": 50000, "varied": 50000, "fputc": 1220, "pread": 100000}
COMPARE = os.path.join(ROOT, "bench", "compare.py")


def of_seconds(*seconds, parts=None):
    figures = Figures(parts)
    figures.seconds.extend(seconds)
    return figures


def arithmetic():
    figures = {
        "true": {"native": of_seconds(1.0), "heapwise": of_seconds(2.0), "heaptrack": of_seconds(3.0, 30.0, 3.0)},
        "churn": {"native": of_seconds(2.0, parts=10), "heapwise": of_seconds(8.0, 4.0, 5.0, parts=10),
                  "heaptrack": of_seconds(11.0, parts=5)},
        "short": {"native": of_seconds(0.9, parts=10)},
        "program": {"native": of_seconds(4.0), "heapwise": of_seconds(5.0), "heaptrack": of_seconds()},
    }
    rows = [
        ("a pair, its fixed cost taken off", value_of(figures, "churn", "heapwise"), 0.3),
        ("a pair of a part of the pairs", value_of(figures, "churn", "heaptrack"), 1.6),
        ("less than the fixed cost", value_of(figures, "short", "native"), None),
        ("added cost", added_ratio(figures, "churn"), 0.2 / 1.5),
        ("a program's whole time", times_native(figures, "program"), 1.25),
        ("a peer that failed", added_ratio(figures, "program"), None),
    ]
    return [f"{name}: {found}, not {wanted}" for name, found, wanted in rows
            if (found is None) != (wanted is None) or (wanted is not None and abs(found - wanted) > 1e-9)]


def bounds(folder):
    """A run that does not end is ended, with what it started; one that dies behind a wrapper has failed."""
    rows = [
        (["sh", "-c", "sleep 1000 & sleep 1000"], 1, "over 1 s"),
        (["sh", "-c", "echo std::bad_alloc >&2"], 60, "dies: bad_alloc"),
        (["sh", "-c", "exit 3"], 60, "status 3"),
        (["true"], 60, None),
    ]
    found = [(command, bounded(command, {}, folder, limit).failure, wanted) for command, limit, wanted in rows]
    return [f"{' '.join(command)}: {failure}, not {wanted}" for command, failure, wanted in found if failure != wanted]


def a_table(folder):
    path = os.path.join(folder, "figures.json")
    ended = run(["python3", COMPARE, "--build", BUILD, "--quick", "--only", "jq,varied,fputc,pread", "--peers", "none", "--no-memory",
                 "--json", path])
    if ended.status != 0:
        return [f"status {ended.status}: {ended.stderr.decode(errors='replace')[-300:]}"]
    text = ended.stdout.decode()
    faults = [f"no row {row}" for row in ("true", "jq", "varied", "fputc", "pread") if f"\n| {row} " not in text]
    with open(path, encoding="utf-8") as file:
        records = [record for record in json.load(file) if record["tool"] == "heapwise" and record["workload"] != "true"]
    faults += [f"{record['workload']}: {record['failure']}" for record in records if record["failure"]]
    faults += [f"{record['workload']}: {record['events']} events, {record['lost_events']} lost" for record in records
               if record["events"] < LEAST_EVENTS[record["workload"]] or record["lost_events"] != 0]
    return faults


def main():
    verdicts = Verdicts()
    verdicts.say("bench: figures are computed as told", arithmetic())
    with Folder() as folder:
        verdicts.say("bench: runs are bounded", bounds(folder))
        if shutil.which("jq"):
            verdicts.say("bench: prints a table in which nothing is lost", a_table(folder))
        else:
            verdicts.skip("bench: prints a table in which nothing is lost", "no jq here")
    verdicts.end()


main()
