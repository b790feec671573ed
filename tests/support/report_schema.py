#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold a document against heapwise-report/1: every key that is promised, with its type.

    report_schema.py FILE...

Further keys are allowed. Prints what is wrong, one line each, and exits 1 if anything is.
"""
import json
import sys

COUNT, REAL, TEXT, BOOL = "count", "real", "text", "bool"


def optional(kind):
    return ("optional", kind)


QUANTILES = {"p50": COUNT, "p95": COUNT, "p99": COUNT, "max": COUNT}
SIZES = dict(QUANTILES, min=COUNT)
ALLOCATION = dict.fromkeys(
    ["alloc_count", "realloc_count", "free_count", "alloc_bytes", "peak_bytes", "leaked_count",
     "leaked_bytes", "temporary_count", "slack_bytes", "copied_bytes"], COUNT)
RATES = dict.fromkeys(["alloc_rate", "alloc_byte_rate"], REAL)
IO = dict.fromkeys(
    ["io_calls", "io_read_calls", "io_write_calls", "io_read_bytes", "io_write_bytes",
     "stdio_calls", "fsync_count", "open_count", "seek_count", "stat_count"], optional(COUNT))
TOTALS = {**ALLOCATION, **RATES, **IO, "peak_alloc_rate": REAL, "peak_alloc_byte_rate": REAL,
          "mapped_bytes": COUNT, "mapped_peak_bytes": COUNT, "lifetime_ns": optional(QUANTILES),
          "io_seconds": optional(REAL), "events": COUNT, "lost_events": COUNT,
          "duration_seconds": REAL}
IO_KERNEL = {"read_calls": COUNT, "write_calls": COUNT, "read_bytes": COUNT, "write_bytes": COUNT,
             "comparable": BOOL}
COVERAGE = {**dict.fromkeys(["events", "lost_events", "unknown_frees", "inherited_frees",
                             "unattached_processes", "threads", "processes"], COUNT),
            "unwind": {"fast": COUNT, "fallback": COUNT, "truncated": COUNT},
            "io_kernel": optional(IO_KERNEL)}
PLACE = {"function": TEXT, "file": optional(TEXT), "line": optional(COUNT), "module": TEXT}
EXIT = {"exit_code": optional(COUNT), "exit_signal": optional(COUNT)}
SCHEMA = {
    "schema": TEXT,
    "tool": {"name": TEXT, "version": TEXT},
    "run": {"command": [TEXT], "trace": TEXT, "started": TEXT, "duration_seconds": REAL, **EXIT,
            "sampled": BOOL, "truncated": BOOL,
            "host": {"kernel": TEXT, "libc": TEXT, "cpu": TEXT, "cores": COUNT, "allocator": TEXT}},
    "totals": TOTALS,
    "coverage": COVERAGE,
    "processes": [{"id": COUNT, "pid": COUNT, "parent_id": optional(COUNT), "command": [TEXT],
                   "execs": [{"command": [TEXT]}], **EXIT, "totals": TOTALS, "coverage": COVERAGE}],
    "call_sites": [{"id": TEXT, **PLACE, "stack": [{**PLACE, "inlined": BOOL}], **ALLOCATION, **RATES,
                    "sizes": SIZES, "lifetime_ns": optional(QUANTILES), "max_live_count": COUNT,
                    "threads": COUNT}],
    "io_sites": [{"id": TEXT, **PLACE}],
    "files": [{"path": TEXT}],
    "timeline": [{"t_seconds": REAL, "live_bytes": COUNT, "alloc_count": COUNT, "alloc_bytes": COUNT,
                  "rss_bytes": COUNT, "io_read_bytes": optional(COUNT),
                  "io_write_bytes": optional(COUNT)}],
}

IS = {
    COUNT: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    REAL: lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0,
    TEXT: lambda value: isinstance(value, str),
    BOOL: lambda value: isinstance(value, bool),
}


def mistakes(value, kind, path):
    if isinstance(kind, tuple):
        if value is not None:
            yield from mistakes(value, kind[1], path)
    elif isinstance(kind, dict):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for key, inner in kind.items():
            if key not in value:
                yield f"{path}.{key} is missing"
            else:
                yield from mistakes(value[key], inner, f"{path}.{key}")
    elif isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{path} is no array"
            return
        for i, item in enumerate(value):
            yield from mistakes(item, kind[0], f"{path}[{i}]")
    elif not IS[kind](value):
        yield f"{path} is {value!r}, not a {kind}"


def inconsistencies(document):
    """What has to agree inside one document."""
    if document["schema"] != "heapwise-report/1":
        yield f"schema is {document['schema']}"
    for key in ("alloc_count", "realloc_count", "free_count", "alloc_bytes", "temporary_count"):
        total = document["totals"][key]
        summed = sum(process["totals"][key] for process in document["processes"])
        if document["processes"] and total != summed:
            yield f"totals.{key} is {total}, its processes have {summed}"
        shown = sum(site[key] for site in document["call_sites"])
        if key != "free_count" and shown > total:
            yield f"call sites have more {key} ({shown}) than the totals ({total})"


def main():
    wrong = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        found = list(mistakes(document, SCHEMA, "$"))
        wrong += [f"{name}: {text}" for text in found or inconsistencies(document)]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
