#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the stacks of real programs against libunwind (tests/support/oracle.h).

    unwinding.py [BUILD]

Every so many'th allocation of a program is a place where rules, memo, the runtime's unwinder and libunwind must give
the same return addresses. Programs that are not installed are skipped.
"""
import glob
import os
import shutil

from lib_record import BUILD, ROOT, Folder, Verdicts, run

ORACLE = os.path.join(BUILD, "tests", "unit", "liboracle.so")

PYTHON = """
import collections, json, re, threading
data = [{"key": str(i), "list": list(range(i % 50))} for i in range(3000)]
text = json.dumps(data)
threads = [threading.Thread(target=json.loads, args=(text,)) for _ in range(3)]
[t.start() for t in threads], [t.join() for t in threads]
collections.Counter(re.findall(r"[0-9]+", text))
"""
PERL = 'my %h; for (1..30000) { my $k = "k" . ($_ % 977); $h{$k} .= join ",", map { $_ * 2 } 1..3; } ' \
       'print length(join "", sort { $a cmp $b } map { s/1/x/gr } values %h), "\\n"'
SQL = ("create table t(a integer primary key, b text, c real);"
       "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
       "insert into t select i, hex(randomblob(8)), i * 0.5 from n;"
       "create index tb on t(b); select count(*), sum(c) from t where b > '8' group by substr(b, 1, 1);")

# name: command, every how many'th allocation, the least number of checks
PROGRAMS = {
    "sqlite3": (["sqlite3", ":memory:", SQL], 7, 1000),
    "jq": (["jq", "-n", '[range(20000) | {a: ., b: (. | tostring)}] | group_by(.a % 7) | map(length)'], 97, 1000),
    "python3": (["/usr/bin/python3", "-c", PYTHON], 47, 1000),
    "perl": (["perl", "-e", PERL], 17, 1000),
    "git": (["git", "-C", ROOT, "log", "--stat", "-n", "40"], 3, 500),
    "xmllint": (["xmllint", "--noout", "--html", "--recover", "{html}"], 3, 500),
    "cc1": (["gcc", "-O2", "-c", "-x", "c", os.path.join(ROOT, "preload", "cfi.c"), "-I", ROOT, "-D_GNU_SOURCE",
             "-o", "/dev/null"], 17, 1000),
    "cc1plus": (["g++", "-O1", "-c", "-x", "c++", "-include", "regex", "-include", "map", "-o", "/dev/null", "/dev/null"],
                47, 1000),
    "cppcheck": (["cppcheck", "--quiet", "-D_GNU_SOURCE", os.path.join(ROOT, "preload", "memo.c")], 17, 500),
}


def read_counts(prefix):
    """Sums over the processes, and the first difference as text."""
    sums, first = [0] * 5, ""
    for path in glob.glob(prefix + ".*"):
        with open(path, errors="replace") as file:
            sums = [a + int(b) for a, b in zip(sums, file.readline().split())]
            first = first or file.read().strip()
    return sums, first


def main():
    verdicts = Verdicts()
    with Folder() as folder:
        html = os.path.join(folder, "page.html")
        with open(html, "w") as file:
            file.write("<html><body>" + "".join(f"<p id=i{i}>text <b>{i}</b></p>" for i in range(3000)))
        for name, (command, every, least) in PROGRAMS.items():
            title = f"stacks of {name} agree with libunwind"
            if not os.path.exists(ORACLE) or not shutil.which(command[0]):
                verdicts.skip(title, "not built" if not os.path.exists(ORACLE) else "not installed")
                continue
            prefix = os.path.join(folder, name)
            command = [part.replace("{html}", html) for part in command]
            ended = run(command, environment={"LD_PRELOAD": ORACLE, "ORACLE_EVERY": str(every), "ORACLE_OUT": prefix,
                                              "PYTHONMALLOC": "malloc", "GIT_PAGER": "cat"})
            (n_checks, n_wrong, n_unusual, n_steps, n_frames), first = read_counts(prefix)
            faults = []
            if n_checks < least:
                faults.append(f"only {n_checks} checks, status {ended.status}: "
                              f"{ended.stderr.decode(errors='replace')[:200]}")
            if n_wrong:
                faults.append(f"{n_wrong} of {n_checks} differ, first {first[:1500]}")
            verdicts.say(title, faults)
            if os.environ.get("VERBOSE"):
                print(f"  {n_checks} checks, {n_frames / max(n_checks, 1):.1f} frames, {n_unusual} needed the library, "
                      f"{n_steps} libunwind got wrong, {ended.seconds:.1f} s")
    verdicts.end()


main()
