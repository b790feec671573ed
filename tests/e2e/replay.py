#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Replays do what was recorded, call for call: held against the report of the trace, and against a recording of
the replay itself. Nothing here depends on speed.

    replay.py [BUILD]
"""
import ctypes.util
import json
import os
import shutil

from lib_record import BUILD, HEAPWISE, Folder, Verdicts, record, report, run

CHURN = os.path.join(BUILD, "bench", "churn")
POPULATION = os.path.join(BUILD, "bench", "population")
VICTIMS = os.path.join(BUILD, "tests", "victims")
SQL = ("create table t(a integer primary key, b text);"
       "with recursive c(x) as (select 1 union all select x + 1 from c where x < 3000)"
       " insert into t select x, hex(x * 7919) from c;"
       "select count(*), sum(length(b)) from t where b like '%3%'; select b from t order by b desc limit 3;")
PROGRAMS = {
    "churn": [CHURN, "20000", "5", "1"],
    "population": [POPULATION, "1000", "20000"],
    "sqlite3": ["sqlite3", ":memory:", SQL],
    "python3": ["/usr/bin/python3", "-S", "-c", "import json; print(len(json.dumps(list(range(3000)))))"],
    "resizes": [os.path.join(VICTIMS, "realloc_corners")],
    "exec": ["sh", "-c", "exec /usr/bin/python3 -S -c 'print(1)'"],
    "four threads": [CHURN, "5000", "5", "4"],
    "many threads": [os.path.join(VICTIMS, "many_threads")],
    "short threads": [os.path.join(VICTIMS, "short_threads")],
    "handing over": [os.path.join(VICTIMS, "hand_over"), "50000"],
    "unknown frees": [os.path.join(VICTIMS, "early_free")],
    "none": ["true"],
}
CALLS = ["alloc_count", "realloc_count", "free_count"]


def replay(trace, *options):
    """The document of a replay, native, one run. Raises ValueError where there is none."""
    ended = run([HEAPWISE, "replay", "--runs", "1", "--allocator", "native", "--format", "json", *options, trace])
    if ended.status != 0 or ended.stderr:
        raise ValueError(f"replay ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return json.loads(ended.stdout)


def totals_of(trace, process):
    return next(row for row in report(trace)["processes"] if row["id"] == process)


def expected_calls(document):
    """What the report has to count where these calls were made: with what replay names as left out or added."""
    calls, left = document["calls"], document["coverage"]
    acquired = calls["malloc"] + calls["calloc"] + calls["aligned"]
    return {
        "alloc_count": acquired - left["resizes_as_allocations"],
        "realloc_count": calls["resize"] + left["resizes_as_allocations"],
        "free_count": calls["free"] - left["frees_added"] + left["unknown_frees_left_out"]
        + left["inherited_frees_left_out"],
    }


def hold_against_report(document, recorded):
    totals = recorded["totals"]
    wanted = {name: totals[name] for name in CALLS}
    faults = []
    if recorded["coverage"]["inherited_frees"] == 0 and expected_calls(document) != wanted:
        faults.append(f"{expected_calls(document)}, recorded {wanted}")
    if document["peak_bytes"] != totals["peak_bytes"]:
        faults.append(f"peak {document['peak_bytes']}, recorded {totals['peak_bytes']}")
    live = document["variants"][0]["live_at_peak_bytes"]["median"]
    if document["threads"] == 1 and live != totals["peak_bytes"]:
        faults.append(f"{live} bytes live at the peak of {totals['peak_bytes']}")
    return faults


def hold_against_itself(document, trace, folder):
    """Record the replay: the replayer has to make these calls and no other, but for a block that glibc takes from
    the allocator for each thread it starts."""
    own = os.path.join(folder, "own.hwt")
    ended = record([HEAPWISE, "replay", "--runs", "1", "--allocator", "native", trace], own)
    if ended.status != 0:
        return [f"recording the replay ended with {ended.status}"]
    made = [row for row in report(own)["processes"]
            if row["executable"].endswith("heapwise-replayer") and row["command"][3:] == ["run", "0"]]
    if len(made) != 1:
        return [f"{len(made)} replayers were recorded"]
    calls, totals, n_started = document["calls"], made[0]["totals"], document["threads"] - 1
    acquired = calls["malloc"] + calls["calloc"] + calls["aligned"]
    faults = []
    if not acquired <= totals["alloc_count"] <= acquired + n_started:
        faults.append(f"{totals['alloc_count']} allocations, not {acquired}")
    if totals["realloc_count"] != calls["resize"] or totals["free_count"] != calls["free"]:
        faults.append(f"{totals['realloc_count']} resizes, {totals['free_count']} frees, not {calls}")
    if n_started == 0 and totals["peak_bytes"] != document["peak_bytes"]:
        faults.append(f"a peak of {totals['peak_bytes']}, not {document['peak_bytes']}")
    return faults


def one_program(name, folder):
    trace = os.path.join(folder, "trace.hwt")
    record(PROGRAMS[name], trace)
    document = replay(trace)
    return (hold_against_report(document, totals_of(trace, document["process"]))
            + hold_against_itself(document, trace, folder))


def cut_traces(folder):
    whole, cut = os.path.join(folder, "whole.hwt"), os.path.join(folder, "cut.hwt")
    record(PROGRAMS["four threads"], whole)
    with open(whole, "rb") as file:
        content = file.read()
    faults = []
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        with open(cut, "wb") as file:
            file.write(content[:int(len(content) * share)])
        document = replay(cut)
        if not document["coverage"]["truncated"]:
            faults.append(f"a trace cut at {share} is not called so")
        faults += hold_against_report(document, totals_of(cut, document["process"])) if document["process"] else []
    return faults


def refusals(folder):
    """Each ends with 2 and one line that says why, perhaps a second one with the way out."""
    trace, broken = os.path.join(folder, "trace.hwt"), os.path.join(folder, "broken.hwt")
    plan = os.path.join(folder, "plan.json")
    record(["true"], trace)
    with open(broken, "w", encoding="utf-8") as file:
        file.write("no trace\n")
    with open(plan, "w", encoding="utf-8") as file:
        file.write('[{"site": "short"}]')
    rows = [
        (["--allocator", "nomalloc", trace], "nomalloc"),
        (["--allocator", "/nowhere/lib.so", trace], "/nowhere/lib.so"),
        (["--allocator", ctypes.util.find_library("m") or "libm.so.6", trace], "libm"),
        (["--plan", plan, trace], "16 hex digits"),
        (["--plan", "/nowhere/plan.json", trace], "No such file"),
        (["--process", "77", trace], "not in the trace"),
        (["--runs", "0", trace], "1 to"),
        ([broken], "broken.hwt"),
        (["/nowhere/trace.hwt"], "No such file"),
        (["-"], "twice"),
        ([], "needs a trace file"),
    ]
    faults = []
    for options, word in rows:
        ended = run([HEAPWISE, "replay", *options])
        lines = ended.stderr.decode().splitlines()
        if ended.status != 2 or not 1 <= len(lines) <= 2 or word not in lines[0]:
            faults.append(f"{options[:-1]}: {ended.status}, {lines}")
    return faults


def other_allocators(folder):
    """One is named, the same one is given as a file: both are told by the file their malloc is in."""
    trace = os.path.join(folder, "trace.hwt")
    record(PROGRAMS["churn"], trace)
    ended = run([HEAPWISE, "replay", "--runs", "1", "--allocator", "jemalloc", "--format", "json", trace])
    if ended.status != 0:
        return [ended.stderr.decode().strip()]
    module = json.loads(ended.stdout)["variants"][0]["module"]
    ended = run([HEAPWISE, "replay", "--runs", "1", "--allocator", module, "--allocator", "native", "--format", "json",
                 trace])
    variants = json.loads(ended.stdout)["variants"]
    found = [os.path.realpath(variant["module"]) for variant in variants]
    return [] if "jemalloc" in module and found[0] == os.path.realpath(module) and "libc" in found[1] else [
        f"{module}, then {found}"]


def plans(folder):
    """A pool for the blocks of churn serves them all; a site that is not there is told."""
    trace, plan = os.path.join(folder, "trace.hwt"), os.path.join(folder, "plan.json")
    record(PROGRAMS["four threads"], trace)
    sites = [site for site in report(trace)["call_sites"] if site["sizes"]["max"] == 64]
    rows = [{"site": site["id"], "technique": "pool", "object_bytes": 64, "slots": 1} for site in sites]
    with open(plan, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    document = replay(trace, "--plan", plan, "--each-row")
    faults = [f"{row['served']} served, {row['overflowed']} not, {row['freed']} freed of {site['alloc_count']}"
              for row, site in zip(document["rows"], sites)
              if [row["served"], row["overflowed"], row["freed"]] != [site["alloc_count"], 0, site["alloc_count"]]]
    names = [variant["plan_rows"] for variant in document["variants"]]
    if names != ["none", "all"] + list(range(1, len(rows) + 1)):
        faults.append(f"variants {names}")
    with open(plan, "w", encoding="utf-8") as file:
        json.dump([dict(rows[0], site="0" * 16)], file)
    ended = run([HEAPWISE, "replay", "--runs", "1", "--plan", plan, trace])
    if ended.status != 0 or b"no call site 0000000000000000" not in ended.stderr:
        faults.append(f"an unknown site: {ended.status}, {ended.stderr}")
    return faults


def nothing_is_left(folder):
    trace, temporary = os.path.join(folder, "trace.hwt"), os.path.join(folder, "tmp")
    os.mkdir(temporary)
    record(PROGRAMS["churn"], trace)
    ended = run([HEAPWISE, "replay", "--runs", "1", trace], environment={"TMPDIR": temporary})
    left = os.listdir(temporary)
    return [f"{ended.status}, left {left}"] if ended.status or left else []


def odd_beginnings(folder):
    """Standard streams may be closed, ends of children ignored, descriptors few."""
    trace = os.path.join(folder, "trace.hwt")
    record(PROGRAMS["churn"], trace)
    words = [HEAPWISE, "replay", "--runs", "1", "--allocator", "native", "--format", "json", "-o", "out.json", trace]
    faults = []
    for shell in ("exec \"$@\" <&-", "exec \"$@\" 2>&-", "exec \"$@\" <&- >&- 2>&-", "trap '' CHLD; exec \"$@\""):
        ended = run(["bash", "-c", shell, "sh", *words], folder=folder)
        if ended.status != 0:
            faults.append(f"{shell}: {ended.status}, {ended.stderr}")
    ended = run(["bash", "-c", "ulimit -n 100; exec \"$@\"", "sh", *words], folder=folder)
    if ended.status != 2 or b"Too many open files" not in ended.stderr:
        faults.append(f"100 descriptors: {ended.status}, {ended.stderr}")
    return faults


def main():
    verdicts = Verdicts()
    for name, command in PROGRAMS.items():
        title = f"replay {name}"
        if not shutil.which(command[0]):
            verdicts.skip(title, f"no {command[0]}")
            continue
        with Folder() as folder:
            check(verdicts, title, lambda: one_program(name, folder))
    for name, test in {"cut traces": cut_traces, "refusals": refusals, "other allocators": other_allocators,
                       "plans": plans, "nothing is left": nothing_is_left,
                       "odd beginnings": odd_beginnings}.items():
        with Folder() as folder:
            check(verdicts, f"replay {name}", lambda: test(folder))
    verdicts.end()


def check(verdicts, name, test):
    try:
        verdicts.say(name, test())
    except (ValueError, OSError, KeyError, StopIteration) as error:
        verdicts.say(name, [repr(error)])


if __name__ == "__main__":
    main()
