#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold totals of real programs against Valgrind's "total heap usage", and against themselves.

    exact.py [BUILD] [--full]

Valgrind counts a resize as an allocation and a release, so of its three figures
    allocs = alloc_count + realloc_count, frees = free_count + realloc_count, bytes = alloc_bytes
within 0.1 % or 5 calls. With --full the inputs are large and git's processes are compared one by one.
"""
import collections
import json
import os
import re
import shutil
import sys

from lib_record import ROOT, Folder, Verdicts, record, report, run

FULL = "--full" in sys.argv
USAGE = re.compile(rb"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes")
COMMAND = re.compile(rb"Command: (.*)")
SEEDS = {"PYTHONHASHSEED": "0", "PERL_HASH_SEED": "0", "PYTHONMALLOC": "malloc"}
# Programs copy their environment, and Valgrind's is two variables longer than ours (each worth 5 calls in
# perl, 6 in git gc): with these two the lengths are even.
EVEN = dict(SEEDS, GLIBCPP_FORCE_NEW="1", GLIBCXX_FORCE_NEW="1")
VALGRIND = ["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no", "--num-callers=2",
            "--undef-value-errors=no"]


def sql(folder):
    rows = 100000 if FULL else 5000
    path = os.path.join(folder, "script.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INTEGER);\nBEGIN;\n")
        for i in range(rows):
            file.write(f"INSERT INTO t VALUES({i}, 'name {i * 7919 % rows}', {i * 31 % 997});\n")
        file.write("COMMIT;\nCREATE INDEX by_name ON t(name);\nSELECT n, count(*) FROM t GROUP BY n LIMIT 5;\n")
    return ["sqlite3", ":memory:", f".read {path}"]


def documents(folder):
    path = os.path.join(folder, "data.json")
    rows = [{"id": i, "name": f"name {i}", "tags": [str(i % k) for k in range(1, 8)], "x": i / 7}
            for i in range(40000 if FULL else 1500)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    return ["jq", "[.[] | {id, n: (.tags | length), y: (.x * 2)}] | group_by(.n) | length", path]


def markup(folder):
    path = os.path.join(folder, "data.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("<list>")
        for i in range(50000 if FULL else 2000):
            file.write(f'<item id="{i}"><name>name {i}</name><empty/></item>')
        file.write("</list>")
    return ["xmllint", "--format", path]


def perl(folder):
    rounds = 200000 if FULL else 5000
    return ["perl", "-e", f'my %h; for my $i (1..{rounds}) {{ $h{{"key $i"}} = [1..$i % 9]; }} '
            'print scalar(keys %h), "\\n"; print join(",", (sort keys %h)[0..3]), "\\n";']


def python(folder):
    rounds = 30 if FULL else 1
    return ["/usr/bin/python3", "-S", "-c",
            "import json\nd = [{'a': i, 'b': str(i)} for i in range(2000)]\n"
            f"for _ in range({rounds}): d = json.loads(json.dumps(d))\nprint(len(d))"]


def cppcheck(folder):
    source = os.path.join(ROOT, "trace", "record.c" if FULL else "pack.c")
    return ["cppcheck", "--enable=all", "--quiet", source]


def history(folder):
    """A repository with some history, the same each time."""
    repository = os.path.join(folder, "repository")
    stamp = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000",
             "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    run(["git", "init", "-q", repository], environment=stamp)
    for i in range(60 if FULL else 15):
        for name in "abc":
            with open(os.path.join(repository, name), "w", encoding="utf-8") as file:
                file.writelines(f"line {j * i % 91} of {name}\n" for j in range(300))
        run(["git", *who, "-C", repository, "add", "-A"], environment=stamp)
        run(["git", *who, "-C", repository, "commit", "-qm", f"change {i}"], environment=stamp)
    return repository


def git_log(folder):
    return ["git", "--no-pager", "-C", history(folder), "log", "--stat", "-p"]


CASES = {"sqlite3": sql, "jq": documents, "xmllint": markup, "perl": perl, "python3": python,
         "cppcheck": cppcheck, "git log": git_log}


def figures_of(totals):
    return (totals["alloc_count"] + totals["realloc_count"],
            totals["free_count"] + totals["realloc_count"], totals["alloc_bytes"])


def valgrind_figures(text):
    match = USAGE.search(text)
    return tuple(int(group.replace(b",", b"")) for group in match.groups()) if match else None


def close(ours, theirs):
    calls = [abs(a - b) <= max(5, b / 1000) for a, b in zip(ours[:2], theirs[:2])]
    # Five calls more or less may be calls of any size the runtime makes.
    return all(calls) and abs(ours[2] - theirs[2]) <= max(5 * 1024, theirs[2] / 1000)


def compare_one(command, folder):
    trace = os.path.join(folder, "exact.hwt")
    checked = run([*VALGRIND, "--log-file=" + os.path.join(folder, "valgrind.log"), *command],
                  environment=SEEDS, seconds=1200)
    ended = record(command, trace, environment=EVEN, seconds=300)
    with open(os.path.join(folder, "valgrind.log"), "rb") as log:
        theirs = valgrind_figures(log.read())
    ours = figures_of(report(trace)["totals"])
    if not theirs or checked.status != ended.status:
        return [f"valgrind ended with {checked.status}, heapwise with {ended.status}"]
    print(f"# {command[0]}: allocs, frees, bytes {ours}, valgrind's {theirs}")
    return [] if close(ours, theirs) else [f"allocs, frees, bytes {ours}, valgrind's {theirs}"]


def repeats(command, folder):
    """Two runs with addresses and hashes fixed give the same numbers."""
    seen = []
    for name in ("first", "second"):
        trace = os.path.join(folder, name + ".hwt")
        record(["setarch", "-R", *command], trace, environment=SEEDS, seconds=300)
        found = report(trace)
        seen.append((figures_of(found["totals"]), found["totals"]["peak_bytes"],
                     found["totals"]["leaked_bytes"],
                     sorted((site["id"], site["alloc_count"]) for site in found["call_sites"])))
    if seen[0] == seen[1]:
        return []
    return [f"{seen[0][:3]} and then {seen[1][:3]}, {len(seen[0][3])} and {len(seen[1][3])} sites"]


def git_gc(folder):
    """git gc runs a dozen processes; each is compared with Valgrind's log of the same command line."""
    repository, again = history(folder), os.path.join(folder, "again")
    shutil.copytree(repository, again)
    logs = os.path.join(folder, "logs")
    os.mkdir(logs)
    fixed = dict(SEEDS, GIT_CONFIG_GLOBAL="/dev/null")
    options = ["-c", "pack.threads=1", "-c", "gc.auto=0"]
    run([*VALGRIND, "--trace-children=yes", f"--log-file={logs}/%p", "git", *options, "gc", "-q"],
        environment=fixed, folder=again, seconds=1200)
    trace = os.path.join(folder, "gc.hwt")
    record(["git", *options, "gc", "-q"], trace, environment=dict(fixed, **EVEN), folder=repository, seconds=300)
    theirs, ours = collections.defaultdict(list), collections.defaultdict(list)
    for name in os.listdir(logs):
        with open(os.path.join(logs, name), "rb") as log:
            text = log.read()
        figures = valgrind_figures(text)
        if figures:
            command = COMMAND.search(text).group(1).decode().split()
            theirs[" ".join(command[1:4])].append(figures)
    for process in report(trace)["processes"]:
        ours[" ".join(" ".join(process["command"]).split()[1:4])].append(figures_of(process["totals"]))
    faults = []
    for command, figures in theirs.items():
        mine = sorted(ours.get(command, []))
        if len(mine) != len(figures) or not all(map(close, mine, sorted(figures))):
            faults.append(f"git {command}: {mine}, valgrind's {sorted(figures)}")
    return faults


def guarded(check, *arguments):
    try:
        return check(*arguments)
    except (ValueError, KeyError, TypeError, OSError) as error:
        return [f"{type(error).__name__} {error}"]


def main():
    verdicts = Verdicts()
    for name, prepare in CASES.items():
        with Folder() as folder:
            command = prepare(folder)
            if not shutil.which(command[0]) or not shutil.which("valgrind"):
                verdicts.skip(f"exact: {name}", f"no {command[0]} or no valgrind here")
                continue
            verdicts.say(f"exact: {name} agrees with valgrind", guarded(compare_one, command, folder))
            verdicts.say(f"exact: {name} repeats itself", guarded(repeats, command, folder))
    if FULL:
        with Folder() as folder:
            verdicts.say("exact: git gc, process by process", guarded(git_gc, folder))
    verdicts.end()


main()
