#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every stack that heapwise records, taken a second time by libunwind: all victims, and real programs.

    unwinding.py [BUILD] [--full] [--table] [NAME...]

The shim is replaced by the checking one (lib_checked.py), so each stack of a run is compared, in every process and
thread of it. --full gives the programs more to do (10 minutes); --table prints what docs/UNWINDING.md shows. Programs
that are not installed are skipped.
"""
import os
import shutil
import sys

from lib_checked import CheckedHeapwise, NAMED
from lib_record import BUILD, ROOT, Folder, Verdicts
import victims

FULL = "--full" in sys.argv
TABLE = "--table" in sys.argv

PYTHON = """
import collections, json, re, sys, threading
data = [{"key": str(i), "list": list(range(i % 50))} for i in range(int(sys.argv[1]))]
text = json.dumps(data)
threads = [threading.Thread(target=json.loads, args=(text,)) for _ in range(3)]
[t.start() for t in threads], [t.join() for t in threads]
collections.Counter(re.findall(r"[0-9]+", text))
"""
PERL = 'my %h; for (1..$ARGV[0]) { my $k = "k" . ($_ % 977); $h{$k} .= join ",", map { $_ * 2 } 1..3; } ' \
       'print length(join "", sort { $a cmp $b } map { s/1/x/gr } values %h), "\\n"'
SQL = ("create table t(a integer primary key, b text, c real);"
       "with recursive n(i) as (select 1 union all select i + 1 from n where i < {n}) "
       "insert into t select i, hex(randomblob(8)), i * 0.5 from n;"
       "create index tb on t(b); select count(*), sum(c) from t where b > '8' group by substr(b, 1, 1);")
# Compiled traces of LuaJIT call malloc without a frame between.
LUA = 'local f = require("ffi"); f.cdef("void *malloc(size_t n); void free(void *p);") ' \
      'for i = 1, tonumber(arg[1]) do f.C.free(f.C.malloc(i % 99)) end'
NODE = "const f = n => Array.from({length: n}, (_, i) => Buffer.from('x'.repeat(i % 9000)).toString('base64').length); " \
       "let s = 0; for (let i = 0; i < process.argv[1]; i++) s += f(100).length; console.log(s)"
JAVA = """
public class Work {
    public static void main(String[] arguments) throws Exception {
        long sum = 0;
        for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
            java.util.zip.Deflater deflater = new java.util.zip.Deflater();
            deflater.setInput(new byte[100 + i % 100]);
            deflater.finish();
            sum += deflater.deflate(new byte[1000]);
            deflater.end();
        }
        System.out.println(sum);
    }
}
"""
REDIS = """
redis-server --port 0 --unixsocket "$PWD/s" --save "" --appendonly no --daemonize no >/dev/null &
for i in $(seq 100); do [ -S s ] && break; sleep 0.2; done
redis-benchmark -s "$PWD/s" -q -t set,get,lpush,lrange_100 -P 16 -n "$1" >/dev/null
redis-cli -s "$PWD/s" shutdown nosave
wait
"""
GIT = """
git init -q history && cd history
for i in $(seq "$1"); do
    seq $i $((i + 300)) >file && git add file && git -c user.name=A -c user.email=a@example.org commit -qm "change $i"
done
git log --stat -p >/dev/null
"""
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "PYTHONMALLOC": "malloc", "GIT_PAGER": "cat"}
BENCH = os.path.join(BUILD, "bench")
SOURCES = os.path.join(ROOT, "preload")


def page(n):
    return "<html><body>" + "".join(f"<p id=i{i}>text <b>{i}</b></p>" for i in range(n))


# name: (command, what {n} stands for usually, and with --full, the least number of stacks usually)
PROGRAMS = {
    "sqlite3": (["sqlite3", ":memory:", SQL], 5000, 200000, 10000),
    "jq": (["jq", "-n", "[range({n}) | {a: ., b: (. | tostring)}] | group_by(.a % 7) | map(length)"], 1000, 50000, 10000),
    "python3": (["/usr/bin/python3", "-c", PYTHON, "{n}"], 300, 3000, 10000),
    "perl": (["perl", "-e", PERL, "{n}"], 4000, 200000, 10000),
    "git": (["sh", "-c", GIT, "sh", "{n}"], 10, 200, 1000),
    "xmllint": (["xmllint", "--noout", "--html", "--recover", "page.html"], 2000, 100000, 5000),
    "gcc": (["gcc", "-O2", "-c", os.path.join(SOURCES, "{n}"), "-I", ROOT, "-D_GNU_SOURCE", "-o", "/dev/null"],
            "arena.c", "cfi.c", 10000),
    "g++": (["g++", "-O1", "-c", "-x", "c++", "-include", "{n}", "-o", "/dev/null", "/dev/null"], "utility", "regex", 10000),
    "cppcheck": (["cppcheck", "--quiet", "-D_GNU_SOURCE", os.path.join(SOURCES, "{n}")], "arena.c", "memo.c", 10000),
    "redis": (["sh", "-c", REDIS, "sh", "{n}"], 1000, 10000, 1000),
    "openssl genrsa": (["openssl", "genrsa", "-out", "/dev/null", "{n}"], 1024, 3072, 1000),
    "openssl speed": (["openssl", "speed", "-seconds", "1", "-bytes", "{n}", "aes-128-cbc", "sha256", "ecdsap256"],
                      0, 16, 1000),
    "luajit": (["luajit", "work.lua", "{n}"], 10000, 300000, 10000),
    "node": (["node", "-e", NODE, "{n}"], 0, 20, 1000),
    "java": (["java", "-XX:+UseSerialGC", "Work.java", "{n}"], 0, 5000, 1000),
    "shapes": ([os.path.join(BUILD, "tests", "shapes-host"), os.path.join(BUILD, "tests", "unit"), "{n}", "40"],
               1000, 50000, 10000),
    "varied": ([os.path.join(BENCH, "varied"), "{n}"], 100000, 1600000, 100000),
    "containers": ([os.path.join(BENCH, "containers"), "{n}"], 1, 12, 10000),
}
for depth in 5, 20, 60:
    for n_threads in 1, 2, 4:
        PROGRAMS[f"churn {depth} {n_threads}"] = (
            [os.path.join(BENCH, "churn"), "{n}", str(depth), str(n_threads)], 4000, 40000, 4000)
FILES = {"page.html": page, "work.lua": lambda n: LUA, "Work.java": lambda n: JAVA}

# Victims that count into the millions show nothing new with each.
SMALLER = {"exact under threads": ["exact_threads", "8", "5000"], "hand-over": ["hand_over", "20000"]}
# In these a process is killed at any point, also amid a check.
KILLED = {"death by child", "death by group", "death by storm"}
# Those whose handlers fork or jump out amid a check: the child goes on with what was begun once, and what is
# jumped out of never ends. Only what differs is a fault of theirs.
LEFT_AMID = {"fork at any step", "fork in a handler", "io stdio rough"}


class Table:
    """One row per program and one for all victims, as docs/UNWINDING.md shows it."""

    def __init__(self):
        self.rows = {}

    def add(self, name, counts):
        sums = self.rows.setdefault(name, dict.fromkeys(counts, 0))
        for row, n in counts.items():
            sums[row] += n

    def print(self):
        for counts in list(self.rows.values()):
            self.add("all", counts)
        if not self.rows:
            return
        total = self.rows["all"]
        named = [row for row in NAMED if total[row]]
        titles = ["stacks", "frames", "new", "shared", "equal", *named, "unfinished", "different"]
        print("| program | " + " | ".join(titles) + " |")
        print("|---" * (1 + len(titles)) + "|")
        for name, counts in self.rows.items():
            print(f"| {name} | " + " | ".join(self.cells(counts, named)) + " |")
        print(f"{total['interrupted']:,} of them are below a signal handler; {total['all_ways']:,} were taken by rules "
              "alone and by the runtime's unwinder alone, too.")

    @staticmethod
    def cells(counts, named):
        n = max(counts["begun"], 1)
        done = sum(counts[row] for row in ("equal", "different", *NAMED))
        each = [counts["frames"], counts["frames"] - counts["shared"], counts["shared"]]
        whole = [counts["equal"], *[counts[row] for row in named], counts["begun"] - done, counts["different"]]
        return [f"{counts['begun']:,}"] + [f"{number / n:.1f}" for number in each] + [f"{number:,}" for number in whole]


def check_program(heapwise, row, folder):
    command, usually, full, least = row
    n = full if FULL else usually
    for name, content in FILES.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(content(n if isinstance(n, int) else 0))
    checked = heapwise.run([part.replace("{n}", str(n)) for part in command], environment=ENVIRONMENT, folder=folder,
                           seconds=280)
    faults = checked.faults()
    if checked.ended.status != 0:
        faults.append(f"status {checked.ended.status}: {checked.ended.stderr[-300:]!r}")
    if checked.counts["begun"] < least:
        faults.append(f"only {checked.counts['begun']} stacks")
    return checked, faults


def check_victim(heapwise, name):
    command, options, _ = victims.CASES[name]
    command = SMALLER.get(name, command)
    checked = heapwise.run([os.path.join(victims.VICTIMS, command[0]), *command[1:]], options)
    return checked, checked.faults(may_die=name in KILLED | LEFT_AMID)


def main():
    verdicts, table = Verdicts(), Table()
    wanted = [name for name in sys.argv[1:] if not name.startswith("--") and not os.path.isdir(name)]
    rows = {name: ("program", row[0][0], not FULL and not row[1]) for name, row in PROGRAMS.items()}
    rows.update({name: ("victim", os.path.join(victims.VICTIMS, case[0][0]), name in victims.ROOT_ONLY and os.geteuid() != 0)
                 for name, case in victims.CASES.items()})
    with Folder() as folder:
        heapwise = CheckedHeapwise(folder)
        for name, (kind, program, is_left_out) in rows.items():
            title = f"stacks of {kind} {name} agree with libunwind"
            if wanted and name not in wanted:
                continue
            if is_left_out or not shutil.which(program):
                verdicts.skip(title, "only with --full, or as root" if is_left_out else "not installed")
                continue
            try:
                checked, faults = check_program(heapwise, PROGRAMS[name], folder) if kind == "program" else \
                    check_victim(heapwise, name)
                table.add(name if kind == "program" else "all victims", checked.counts)
            except (ValueError, OSError) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(title, faults)
    if TABLE:
        table.print()
    verdicts.end()


main()
