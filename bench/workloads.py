# SPDX-License-Identifier: MIT
"""What is run: one row of WORKLOADS each. A workload's prepare(folder, build, scale) makes its inputs, of which
`scale` is a divisor for quick runs, and returns the command."""
import json
import os
import shutil


class Workload:
    """`parts`, pairs of malloc and free or calls of I/O, are known where they are all there is to do; such a workload is
    told per part, fixed costs taken off, and may be cut for slow tools. `threads` share them. `extra` names tools that
    run only here."""
    is_io = False

    def __init__(self, name, prepare, environment=None, parts=None, threads=1, extra=(), server=False, needs=None):
        self.name, self.prepare, self.environment = name, prepare, environment or {}
        self.parts, self.threads, self.extra, self.server, self.needs = parts, threads, extra, server, needs

    def is_for(self, tool):
        return tool.is_io is not True and (tool.name != "no stacks" or tool.name in self.extra)

    def share_of(self, tool):
        """The divisor of its parts under a tool."""
        return tool.share if self.parts else 1

    def parts_under(self, tool, divisor):
        if not self.parts:
            return None
        return self.parts // self.threads // (divisor * self.share_of(tool)) * self.threads

    def why_not(self, build):
        if self.needs and not shutil.which(self.needs) and not os.path.exists(os.path.join(build, "bench", self.needs)):
            return f"no {self.needs} here"
        return None


class IoWorkload(Workload):
    """Its parts are calls, of which one in `calls_each` makes a system call: what a tracer of those pays for."""
    is_io = True

    def __init__(self, name, prepare, calls, calls_each=1, needs=None):
        super().__init__(name, prepare, parts=calls, needs=needs)
        self.calls_each = calls_each

    def is_for(self, tool):
        return tool.is_io is not False

    def share_of(self, tool):
        return max(1, tool.share // self.calls_each)


def churn(depth, threads, pairs, extra=()):
    """The pairs are of all threads together."""
    def prepare(_folder, build, divisor):
        return [os.path.join(build, "bench", "churn"), str(pairs // threads // divisor), str(depth), str(threads)]
    return Workload(f"churn {threads}x{depth}", prepare, parts=pairs, threads=threads, extra=extra)


def program(name, argument):
    def prepare(_folder, build, divisor):
        return [os.path.join(build, "bench", name), str(max(1, argument // divisor))]
    return Workload(name, prepare, needs=name)


def sqlite(folder, _build, divisor):
    rows = 100000 // divisor
    path = os.path.join(folder, "script.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INTEGER);\nBEGIN;\n")
        for i in range(rows):
            file.write(f"INSERT INTO t VALUES({i}, 'name {i * 7919 % rows}', {i * 31 % 997});\n")
        file.write("COMMIT;\nCREATE INDEX by_name ON t(name);\nSELECT n, count(*) FROM t GROUP BY n LIMIT 5;\n")
    return ["sqlite3", ":memory:", f".read {path}"]


def jq(folder, _build, divisor):
    path = os.path.join(folder, "data.json")
    rows = [{"id": i, "name": f"name {i}", "tags": [str(i % k) for k in range(1, 8)], "x": i / 7}
            for i in range(40000 // divisor)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    return ["jq", "[.[] | {id, n: (.tags | length), y: (.x * 2)}] | group_by(.n) | length", path]


FUNCTION = """
static int step_{i}(const int *values, unsigned n, struct node *node)
{{
    int sum = {i};
    char *text = malloc(n + {i});
    if (!text || !node)
        return -1;
    for (unsigned k = 0; k < n; k++) {{
        switch (values[k] % {m}) {{
        case 0: sum += node->left ? step_{j}(values + k, n / 2, node->left) : 1; break;
        case 1: sum -= (int)(k * {i}u); text[k] = 'a'; break;
        default: sum ^= node->value; break;
        }}
    }}
    free(text);
    return sum > {m} ? sum / {m} : sum;
}}
"""


def cppcheck(folder, _build, divisor):
    """A source of its own, so that a change of ours does not change what is measured."""
    path = os.path.join(folder, "checked.c")
    n = max(2, 240 // divisor)
    with open(path, "w", encoding="utf-8") as file:
        file.write("#include <stdlib.h>\nstruct node { struct node *left, *right; int value; };\n")
        file.writelines(f"static int step_{i}(const int *, unsigned, struct node *);\n" for i in range(n))
        file.writelines(FUNCTION.format(i=i, j=(i * 7 + 1) % n, m=i % 5 + 2) for i in range(n))
        file.write("int main(void) { struct node root = {0}; int v[3] = {1, 2, 3}; return step_0(v, 3, &root); }\n")
    return ["cppcheck", "--enable=all", "--quiet", path]


def python(_folder, _build, divisor):
    return ["/usr/bin/python3", "-S", "-c",
            "import json\nd = [{'a': i, 'b': str(i)} for i in range(2000)]\n"
            f"for _ in range({max(1, 250 // divisor)}): d = json.loads(json.dumps(d))\nprint(len(d))"]


def redis(_folder, _build, divisor):
    """The number of requests; bench/server.py knows the rest."""
    return str(600000 // divisor)


def dd(calls):
    """As many reads as writes."""
    def prepare(_folder, _build, divisor):
        return ["dd", "if=/dev/zero", "of=/dev/null", "bs=64", f"count={calls // 2 // divisor}", "status=none"]
    return IoWorkload("dd", prepare, calls, needs="dd")


def io_calls(way, calls, calls_each=1):
    def prepare(_folder, build, divisor):
        return [os.path.join(build, "bench", "io_calls"), way, str(calls // divisor)]
    return IoWorkload(way, prepare, calls, calls_each, needs="io_calls")


MILLION = 1_000_000
WORKLOADS = [
    churn(5, 1, 8 * MILLION), churn(20, 1, 8 * MILLION, extra=("no stacks",)), churn(60, 1, 8 * MILLION),
    churn(5, 2, 8 * MILLION), churn(20, 2, 8 * MILLION), churn(60, 2, 8 * MILLION),
    # So many that fixed costs vanish beside heaptrack's share of them, too.
    churn(5, 4, 20 * MILLION), churn(20, 4, 20 * MILLION, extra=("no stacks",)), churn(60, 4, 20 * MILLION),
    program("varied", 1600000),
    Workload("sqlite3", sqlite, needs="sqlite3"),
    Workload("jq", jq, needs="jq"),
    Workload("cppcheck", cppcheck, needs="cppcheck"),
    Workload("python3", python, {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}, needs="python3"),
    program("containers", 12),
    Workload("redis", redis, server=True, needs="redis-server"),
    dd(2 * MILLION), io_calls("fputc", 100 * MILLION, 4096), io_calls("fwrite", 20 * MILLION, 41),
    io_calls("open", MILLION), io_calls("pread", 2 * MILLION),
]
FIXED = Workload("true", lambda *_: ["true"])
