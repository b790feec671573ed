#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record every victim and hold the report against what the victim counted itself.

    victims.py [BUILD] [NAME...]

Each runs three times: alone, to know its output and status; under heapwise, where both must be the same; and
through `report`, whose figures must meet the victim's own (tests/victims/victim.h), lose no event, and
know no unexpected free.
"""
import os
import shutil
import struct
import sys

from lib_record import (BUILD, HEAPWISE, Ended, Folder, Verdicts, finished_report, record, report, run,
                        site_metric, sites_through, total_metric)

VICTIMS = os.path.join(BUILD, "tests", "victims")
EXACTLY, AT_LEAST, AT_MOST = range(3)
RELATIONS = {EXACTLY: "is", AT_LEAST: "is at least", AT_MOST: "is at most"}
ROW = struct.Struct("<40s32sQQ")


def rows_of(path):
    """The victim's own counts: (site, metric, relation, value)."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        data = file.read()
    n_rows = struct.unpack_from("<QQ", data)[1]
    rows = []
    for i in range(n_rows):
        site, metric, relation, value = ROW.unpack_from(data, 16 + i * ROW.size)
        rows.append((site.rstrip(b"\0").decode(), metric.rstrip(b"\0").decode(), relation, value))
    return rows


def meets(found, relation, value, metric):
    if found is None:
        return False
    if relation == AT_LEAST:
        return found >= value
    if relation == AT_MOST:
        # Two clocks: the trace's ticks are mapped to nanoseconds by two points.
        return found <= value * 1.01 + 5000
    return found == value


def compare(found, rows):
    faults = []
    for site, metric, relation, value in rows:
        seen = site_metric(found, site, metric) if site else total_metric(found, metric)
        if not meets(seen, relation, value, metric):
            faults.append(f"{site or 'total'} {metric} {RELATIONS[relation]} {value}, reported {seen}")
    return faults


def whole(found, rows, alone):
    """What holds for every run: nothing lost, nothing unexplained, the status known."""
    faults = []
    named = {metric for site, metric, _, _ in rows if not site}
    if "lost_events" not in named and found["totals"]["lost_events"] != 0:
        faults.append(f"lost_events {found['totals']['lost_events']}")
    if "unknown_frees" not in named and found["coverage"]["unknown_frees"] != 0:
        faults.append(f"unknown_frees {found['coverage']['unknown_frees']}")
    if "inherited_frees" not in named and found["coverage"]["inherited_frees"] != 0:
        faults.append(f"inherited_frees {found['coverage']['inherited_frees']}")
    if found["run"]["truncated"]:
        faults.append("the trace is truncated")
    code, number = found["run"]["exit_code"], found["run"]["exit_signal"]
    if (128 + number if number else code) != alone.status:
        faults.append(f"ended with {alone.status}, reported code {code} signal {number}")
    return faults


# Further conditions of single cases; each returns a list of faults.

def cut_at_32(found, ended, trace):
    deepest = max(len(site["stack"]) for site in sites_through(found, "descend"))
    truncated = found["coverage"]["unwind"]["truncated"]
    return ([] if deepest <= 32 else [f"a stack has {deepest} frames"]) + \
        ([] if truncated >= 500 else [f"{truncated} truncated stacks"])


def whole_recursion(found, ended, trace):
    deepest = max(len(site["stack"]) for site in sites_through(found, "descend"))
    return [] if deepest >= 102 else [f"the deepest stack has {deepest} frames"]


def no_stack_ends_early(found, ended, trace):
    truncated = found["coverage"]["unwind"]["truncated"]
    return [f"{truncated} truncated stacks"] if truncated else []


def says_deepbind(found, ended, trace):
    text = run([HEAPWISE, "report", trace]).stdout + ended.stderr
    seen = site_metric(found, "plugin_one", "alloc_count")
    unknown = found["coverage"]["unknown_frees"]
    if (seen, unknown) == (100, 0) or ((seen, unknown) == (0, 100) and b"DEEPBIND" in text):
        return []
    return [f"{seen} allocations and {unknown} unknown frees of the library's 100 blocks"]


def no_stale_frames(found, ended, trace):
    stale = [site for site in sites_through(found, "after_jump")
             if any(frame["function"] == "jump_out" for frame in site["stack"])]
    return ["a stack shows frames that were jumped over"] if stale else []


def own_modules(found, ended, trace):
    faults = []
    for name in ("plugin_one", "plugin_two"):
        for site in sites_through(found, name):
            modules = {os.path.basename(frame["module"]) for frame in site["stack"]
                       if frame["function"] == name}
            if modules != {f"lib{name}.so"}:
                faults.append(f"{name} lies in {modules}")
    return faults


def two_images(found, ended, trace):
    process = found["processes"][0]
    return [] if len(found["processes"]) == 1 and len(process["execs"]) == 1 else \
        [f"{len(found['processes'])} processes, execs {process.get('execs')}"]


def processes(n):
    def check(found, ended, trace):
        rows = found["processes"]
        faults = [] if len(rows) == n else [f"{len(rows)} processes instead of {n}"]
        ids = {row["id"] for row in rows}
        orphans = [row["pid"] for row in rows[1:] if row["parent_id"] not in ids]
        return faults + ([f"without parent: {orphans}"] if orphans else [])
    return check


def guest_is_not_its_host(found, ended, trace):
    """What a child does to itself in its parent's memory is not told of the parent."""
    dumped = run([HEAPWISE, "dump", trace]).stdout
    faults = processes(2)(found, ended, trace)
    return faults + [f"{text.decode()} is recorded" for text in (b'"guest"', b'"exec"') if text in dumped]


WARNED = {"deepbind", "fork at any step"}  # of by heapwise run
ROOT_ONLY = {"jailed chroot", "jailed other_user"}

# name: (command, options of run, further condition)
CASES = {
    "empty": (["empty"], [], None),
    "accounts": (["accounts"], [], None),
    "all calls": (["all_calls"], [], None),
    "realloc corners": (["realloc_corners"], [], None),
    "freed in turn": (["freed_in_turn"], [], None),
    "failures": (["failures"], [], None),
    "mapped": (["mapped"], [], None),
    "bad pointers": (["bad_pointers"], [], processes(3)),
    "errno kept": (["errno_kept"], [], processes(2)),
    "exact under threads": (["exact_threads", "8", "1000000"], [], None),
    "hand-over": (["hand_over", "2000000"], [], None),
    "held after a burst": (["held_after_burst"], [], None),
    "taking turns": (["taking_turns"], [], None),
    "short threads": (["short_threads"], [], None),
    "many threads": (["many_threads"], [], None),
    "thread-specific destructors": (["tls_destructor"], [], None),
    "before and after main": (["before_after"], [], None),
    "longjmp": (["longjmp"], [], no_stale_frames),
    "jump from a handler": (["jump_from_handler"], [], None),
    "throw": (["throw"], [], None),
    "coroutines": (["coroutines"], [], None),
    "carved stack": (["carved_stack"], [], None),
    "signal stack": (["altstack"], [], None),
    "jump to nowhere": (["nowhere"], [], None),
    "rbp in other use": (["own_rbp"], [], None),
    "signal storm": (["signal_storm"], [], None),
    "bound at any step": (["bind_at_step"], [], no_stack_ends_early),
    "small stack": (["small_stack"], [], processes(2)),
    "fork at any step": (["fork_at_step"], [], None),
    "fork in a handler": (["fork_in_handler"], [], processes(101)),
    "fork among threads": (["fork_threads"], [], processes(2)),
    "dlopen with reuse": (["dlopen_reuse"], [], own_modules),
    "deepbind": (["deepbind"], [], says_deepbind),
    "early free": (["early_free"], [], None),
    "close all": (["close_all"], [], None),
    "deep": (["deep"], [], whole_recursion),
    "deep, cut": (["deep"], ["--depth", "32"], cut_at_32),
    "jemalloc's own calls": (["jemalloc_calls"], [], None),
    "surroundings": (["show_state", "an argument", ""], [], None),
}
for name in ("fd", "sockets", "copies", "names", "stdio_write", "stdio_read", "stdio_rough", "last_flush", "aio", "streams",
             "fortified", "wide", "legacy"):
    CASES[f"io {name.replace('_', ' ')}"] = ([f"io_{name}"], [], None)
for way in ("reuse", "over_standard", "raw_duplicates", "vfork_close", "close_from", "fork_shares", "partial", "interrupted",
            "appended", "direct", "nameless", "terminal", "many", "odd_names", "long_path"):
    CASES[f"io with {way.replace('_', ' ')}"] = (["io_hazards", way], [], None)
for way in ("chroot", "other_user", "limits", "mlockall", "seccomp", "filter"):
    CASES[f"jailed {way}"] = (["jailed", way], [], None)
for way in ("sigkill", "segv", "abort", "_exit", "quick_exit", "thread_exit", "stack_overflow", "exec",
            "child", "group", "storm"):
    CASES[f"death by {way}"] = (["death", way], [], two_images if way == "exec" else None)
for way in ("fork", "_Fork", "clone", "vfork", "spawn", "empty_environment", "clearenv"):
    CASES[f"child by {way}"] = (["tree", way], [], processes(2))
CASES["child by fork in vfork"] = (["tree", "fork_in_vfork"], [], processes(2))
CASES["child by shared memory"] = (["tree", "shared_memory"], [], guest_is_not_its_host)
CASES["heap of a vfork child"] = (["vfork_heap"], [], processes(2))
CASES["child by system"] = (["tree", "system"], [], processes(2))
CASES["child by daemon"] = (["tree", "daemon"], [], processes(3))


def check(name, command, options, condition, folder):
    trace, counts = os.path.join(folder, "victim.hwt"), os.path.join(folder, "counts")
    environment = {"VICTIM_EXPECT": counts, "VICTIM_FOLDER": folder}
    alone = run(command, environment=dict(environment, VICTIM_EXPECT=os.path.join(folder, "counts.alone")))
    ended = record(command, trace, options, environment=environment)
    faults = []
    if name == "death by group":
        # The launcher was of the group: only the collector is left, and writes on.
        found = finished_report(trace)
        alone = Ended(128 + 9, alone.stdout, alone.stderr)
    elif ended.status == "over time":
        return ["did not end in time"]
    else:
        found = report(trace)
    if ended.status != alone.status:
        faults.append(f"status {ended.status} instead of {alone.status}")
    if ended.stdout != alone.stdout:
        faults.append(f"stdout differs: {ended.stdout[-120:]!r}")
    if ended.stderr != alone.stderr and name not in WARNED:
        faults.append(f"stderr differs: {ended.stderr[-200:]!r}")
    rows = rows_of(counts)
    faults += compare(found, rows) + whole(found, rows, alone)
    if condition:
        faults += condition(found, ended, trace)
    return faults


def main():
    verdicts = Verdicts()
    wanted = [name for name in sys.argv[1:] if not os.path.isdir(name)]
    for name, (command, options, condition) in CASES.items():
        if wanted and name not in wanted:
            continue
        program = os.path.join(VICTIMS, command[0])
        if not os.path.exists(program):
            verdicts.skip(name, "not built here")
            continue
        if name in ROOT_ONLY and os.geteuid() != 0:
            verdicts.skip(name, "needs root")
            continue
        with Folder() as folder:
            try:
                faults = check(name, [program, *command[1:]], options, condition, folder)
            except (ValueError, KeyError, TypeError, OSError) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(name, faults)
    if not wanted or "odd path" in wanted:
        try:
            verdicts.say("odd path", odd_path())
        except (ValueError, KeyError, TypeError, OSError) as error:
            verdicts.say("odd path", [f"{type(error).__name__} {error}"])
    verdicts.end()


def odd_path():
    """A program, and a trace, in a folder whose name has spaces, quotes and letters beyond ASCII."""
    with Folder() as folder:
        odd = os.path.join(folder, "dïr with 'spaces' and: a naïve 名前")
        os.mkdir(odd)
        program = shutil.copy(os.path.join(VICTIMS, "accounts"), os.path.join(odd, "prógram one"))
        trace, counts = os.path.join(odd, "ä trace.hwt"), os.path.join(odd, "counts")
        ended = record([program], trace, environment={"VICTIM_EXPECT": counts}, folder=odd)
        if ended.status != 0:
            return [f"status {ended.status}: {ended.stderr.decode(errors='replace')[:200]}"]
        found = report(trace)
        faults = compare(found, rows_of(counts))
        if found["processes"][0]["command"][0] != program:
            faults.append(f"its name became {found['processes'][0]['command'][0]!r}")
        return faults


if __name__ == "__main__":
    main()
