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
IO_KERNEL = {**dict.fromkeys(
                 [before + what for before in ("", "seen_") for what in
                  ("read_calls", "write_calls", "read_bytes", "write_bytes")] +
                 ["loader_read_calls", "loader_read_bytes"], COUNT), "comparable": BOOL}
COVERAGE = {**dict.fromkeys(["events", "lost_events", "unknown_frees", "inherited_frees",
                             "unattached_processes", "threads", "processes"], COUNT),
            "unwind": {"fast": COUNT, "fallback": COUNT, "truncated": COUNT},
            "io_kernel": optional(IO_KERNEL)}
PLACE = {"function": TEXT, "file": optional(TEXT), "line": optional(COUNT), "module": TEXT}
STACK = {**PLACE, "place": COUNT, "stack": [{**PLACE, "inlined": BOOL}]}
PATTERN = dict.fromkeys(["consecutive", "strided", "random"], COUNT)
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
    "io_sites": [{"id": TEXT, **STACK, "layer": TEXT, "op": TEXT, "reads": BOOL, "writes": BOOL,
                  "path": optional(TEXT), "files": COUNT, "calls": COUNT, "bytes": COUNT,
                  "seconds": REAL, "logical_calls": COUNT, "sizes": SIZES,
                  "latency_ns": optional(QUANTILES), "pattern": PATTERN, "threads": COUNT,
                  **dict.fromkeys(["failed", "would_block", "interrupted", "short_calls", "empty"], COUNT),
                  "heap": dict.fromkeys(["calls", "fresh_calls", "single_calls", "inner_allocs",
                                         "copied_calls", "copied_bytes"], COUNT)}],
    "files": [{"path": TEXT, **dict.fromkeys(
                   ["opens", "failed_opens", "stats", "seeks", "read_calls", "read_bytes", "write_calls",
                    "write_bytes", "turns", "fsyncs"], COUNT),
               "unique_read_bytes": optional(COUNT), "seconds": REAL, "sync_seconds": REAL,
               "read_sizes": SIZES, "write_sizes": SIZES, "latency_ns": optional(QUANTILES),
               "pattern": PATTERN}],
    "io_sites_total": COUNT,
    "files_total": COUNT,
    "slow_calls": [{**STACK, "t_seconds": REAL, "seconds": REAL, "process_id": COUNT, "tid": COUNT,
                    "op": TEXT, "path": optional(TEXT), "bytes": COUNT}],
    "io_threads": [{"process_id": COUNT, "tid": COUNT, "name": TEXT, "calls": COUNT,
                    **dict.fromkeys(["seconds", "sync_seconds", "longest_seconds", "alive_seconds"], REAL)}],
    "openers": [{**STACK, "op": TEXT, "path": optional(TEXT),
                 **dict.fromkeys(["opens", "failed", "open_at_end", "max_open"], COUNT)}],
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


def io_inconsistencies(document):
    """Rows of I/O against the totals; nothing where no I/O was recorded."""
    totals, sites = document["totals"], document["io_sites"]
    if totals["io_calls"] is None:
        for key in ("io_sites", "files", "slow_calls", "io_threads", "openers"):
            if document[key]:
                yield f"{key} although totals.io_calls is null"
        return
    if totals["io_calls"] != totals["io_read_calls"] + totals["io_write_calls"]:
        yield f"io_calls is {totals['io_calls']}, not the sum of reads and writes"
    whole = len(sites) == document["io_sites_total"]
    for side, calls, size in (("reads", "io_read_calls", "io_read_bytes"),
                              ("writes", "io_write_calls", "io_write_bytes")):
        for key, field in ((calls, "calls"), (size, "bytes")):
            shown = sum(site[field] for site in sites if site[side])
            if shown > totals[key] or (whole and shown != totals[key]):
                yield f"io_sites have {shown} of {key}, the totals {totals[key]}"
    for site in sites:
        if site["layer"] not in ("syscall", "stdio"):
            yield f"{site['id']}: layer is {site['layer']}"
        if site["layer"] == "syscall" and site["logical_calls"]:
            yield f"{site['id']}: logical_calls without stdio"


def main():
    wrong = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        found = list(mistakes(document, SCHEMA, "$"))
        found = found or list(inconsistencies(document)) + list(io_inconsistencies(document))
        wrong += [f"{name}: {text}" for text in found]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
