#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what is gathered of call sites' habits against a replay of the same traces, event by event.

    habits.py [BUILD]

Each figure of each site of a few real programs has to be the same, but for slots_999, which may be a thirty-second
above, and for large blocks freed too soon, whose limit is as inexact.
"""
import json
import os
import shutil
from collections import defaultdict

from lib_record import BUILD, Folder, Verdicts, record, run
from lib_replay import ALIGNED, ALLOCATIONS, EIGHTHS, FLEETING_BYTES, Replay

PRINT = os.path.join(BUILD, "tests", "print-habits")
NS = 1e-9  # what printing rounds off
RECORDINGS = 4


def sqlite3(folder):
    script = os.path.join(folder, "script.sql")
    with open(script, "w", encoding="utf-8") as file:
        file.write("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INTEGER);\nBEGIN;\n")
        for i in range(3000):
            file.write(f"INSERT INTO t VALUES({i}, 'name {i * 7919 % 3000}', {i * 31 % 997});\n")
        file.write("COMMIT;\nCREATE INDEX by_name ON t(name);\nSELECT n, count(*) FROM t GROUP BY n LIMIT 5;\n")
    return ["sqlite3", ":memory:", f".read {script}"]


def jq(folder):
    path = os.path.join(folder, "data.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"id": i, "tags": [str(i % k) for k in range(1, 8)], "x": i / 7} for i in range(800)], file)
    return ["jq", "[.[] | {id, n: (.tags | length), y: (.x * 2)}] | group_by(.n) | length", path]


def python3(_):
    return ["/usr/bin/python3", "-S", "-c", "import json; d = [{'a': i, 'b': str(i)} for i in range(3000)]\n"
            "for _ in range(3): d = json.loads(json.dumps(d))"]


def containers(_):
    return [os.path.join(BUILD, "bench", "containers"), "1"]


def hand_over(_):
    return [os.path.join(BUILD, "tests", "victims", "hand_over"), "20000"]


PROGRAMS = (sqlite3, jq, python3, containers, hand_over)


def slots(site):
    """What 99.9 % of the counts do not exceed."""
    return sorted(site.live_counts)[(len(site.live_counts) * 999 + 999) // 1000 - 1] if site.live_counts else 0


def leaks(site, first, last):
    counts, sizes = [0] * EIGHTHS, [0] * EIGHTHS
    for block in site.leaks:
        part = min((block.born - first) * EIGHTHS // (last - first), EIGHTHS - 1)
        counts[part] += 1
        sizes[part] += block.size
    return counts, sizes


def growth(site):
    sizes = [size for size, _ in site.chains]
    return {"steps": len(site.steps), "copied_bytes": sum(site.steps), "chains": len(sizes),
            "final_max_bytes": max(sizes, default=0), "final_sum_bytes": sum(sizes),
            "longest_steps": max((steps for _, steps in site.chains), default=0)}


def largest_burst(site, seconds):
    if not site.bursts:
        return {"process_id": 0, "id": 0, "count": 0, "bytes": 0, "first_born_seconds": 0.0, "last_born_seconds": 0.0, "died_seconds": 0.0}
    count, run_number, freed = max(site.bursts, key=lambda burst: (burst[0], -burst[1]))
    born = [block.born for block, _ in freed]
    return {"process_id": 1, "id": run_number, "count": count, "bytes": sum(block.size for block, _ in freed),
            "first_born_seconds": seconds(min(born)), "last_born_seconds": seconds(max(born)), "died_seconds": seconds(freed[-1][1])}


def figures(replay, site):
    first, scale = replay.clocks[0][0], replay.ns_per_tick()

    def seconds(t):
        return (t - first) * scale / 1e9

    born, born_bytes = leaks(site, first, replay.end)
    return {"alloc_count": sum(site.calls[name] for name in ALLOCATIONS), "leaked_count": len(site.leaks),
            "calloc_count": site.calls["calloc"], "aligned_count": sum(site.calls[name] for name in ALIGNED),
            "alignment_bytes": max(site.alignments), "first_alloc_seconds": seconds(site.times[0]),
            "last_alloc_seconds": seconds(site.times[-1]), "freed_elsewhere_count": site.n_elsewhere,
            "burst_count": sum(count for count, *_ in site.bursts), "n_bursts": len(site.bursts),
            "largest_burst": largest_burst(site, seconds), "growth": growth(site),
            "leaked_born": born, "leaked_born_bytes": born_bytes}


def too_fast(replay, site, bytes_per_ns):
    """Large blocks that would have had to be written faster than that; none where not all are calloc's."""
    if set(site.calls) != {"calloc"}:
        return 0
    return sum(size >= FLEETING_BYTES and ticks * replay.ns_per_tick() * bytes_per_ns < size
               for size, ticks in site.lives)


def same(found, wanted):
    if isinstance(wanted, dict):
        return all(same(found[key], wanted[key]) for key in wanted)
    return abs(found - wanted) <= NS if isinstance(wanted, float) else found == wanted


def compare(replay, site, found):
    wanted = figures(replay, site)
    faults = [f"{key} {found[key]}, not {wanted[key]}" for key in wanted if not same(found[key], wanted[key])]
    if not slots(site) <= found["slots_999"] <= slots(site) * 33 // 32:
        faults.append(f"{found['slots_999']} slots, not {slots(site)}")
    if not too_fast(replay, site, 66) <= found["fleeting_count"] <= too_fast(replay, site, 64):
        faults.append(f"{found['fleeting_count']} freed too soon, not {too_fast(replay, site, 64)}")
    return faults


def judge(replay, trace):
    shown, faults = run([PRINT, "--raw", trace]), []
    if shown.status != 0 or replay.n_odd:
        return [shown.stderr.decode(errors="replace").strip() or f"{replay.n_odd} releases of nothing"]
    lines = map(json.loads, shown.stdout.splitlines())
    rows = {tuple(map(tuple, row["stack"])): row for row in lines if row["kind"] == "site"}
    if set(rows) != set(replay.sites):
        faults.append(f"{len(rows)} sites, not {len(replay.sites)}")
    for stack in set(rows) & set(replay.sites):
        faults += compare(replay, replay.sites[stack], rows[stack])
    sums = defaultdict(int)
    for row in rows.values():
        for key in ("alloc_count", "n_bursts", "freed_elsewhere_count"):
            sums[key] += row[key]
        for key in ("steps", "chains"):
            sums[key] += row["growth"][key]
    print("#", len(rows), "sites,", ", ".join(f"{key} {n}" for key, n in sums.items()), flush=True)
    return faults


def judge_recordings(command, trace):
    """Where blocks change hands within a few cycles, one recording in thirty has stamps that are inverted by some
    hundred cycles, which Replay does not understand: that is taken again."""
    for _ in range(RECORDINGS):
        status = record(command, trace).status
        if status:
            return [f"ended with {status}"]
        replay = Replay(trace)
        if not replay.n_odd:
            break
    return judge(replay, trace)


def main():
    verdicts = Verdicts()
    for program in PROGRAMS:
        with Folder() as folder:
            command, trace = program(folder), os.path.join(folder, "habits.hwt")
            if not shutil.which(command[0]):
                verdicts.skip(f"habits of {program.__name__}", "not installed")
                continue
            verdicts.say(f"habits of {program.__name__}", judge_recordings(command, trace))
    verdicts.end()


main()
