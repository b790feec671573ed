# SPDX-License-Identifier: MIT
"""Record a command with the built heapwise and look into the report: shared by the end-to-end tests.

Every test prints `ok NAME`, `not ok NAME: why` or `skip NAME: why` through a Verdicts object; tests/run.sh counts them.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) \
    else os.path.join(ROOT, "build-test")
HEAPWISE = os.environ.get("HEAPWISE", os.path.join(BUILD, "heapwise"))
SECONDS = 120  # what no run may exceed; a hang must fail, not stop the tests


class Verdicts:
    """Prints one line per case, and knows whether any failed."""

    def __init__(self):
        self.n_failed = 0

    def say(self, name, faults):
        if faults:
            self.n_failed += 1
            print(f"not ok {name}: {'; '.join(str(fault) for fault in faults[:6])}", flush=True)
        else:
            print(f"ok {name}", flush=True)

    def skip(self, name, why):
        print(f"skip {name}: {why}", flush=True)

    def end(self):
        sys.exit(1 if self.n_failed else 0)


class Ended:
    """What a command left behind: status as a shell would say it, and its output."""

    def __init__(self, returncode, stdout, stderr, seconds=0.0):
        self.status = 128 - returncode if isinstance(returncode, int) and returncode < 0 else returncode
        self.stdout, self.stderr, self.seconds = stdout, stderr, seconds


def run(command, stdin=None, environment=None, folder=None, seconds=SECONDS):
    """Run a command in a process group of its own, at most so long; output goes to files, since a daemon that
    keeps a pipe open would keep us waiting."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen(command, stdin=stdin if stdin is not None else subprocess.DEVNULL,
                                 stdout=out, stderr=err, cwd=folder, start_new_session=True,
                                 env=dict(os.environ, **(environment or {})))
        try:
            status = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            status = "over time"
        took = time.monotonic() - began
        out.seek(0), err.seek(0)
        return Ended(status, out.read(), err.read(), took)


def record(command, trace, options=(), **how):
    """`heapwise run` of a command, quietly: what it prints then is the program's, or a warning."""
    return run([HEAPWISE, "run", "--quiet", "-o", trace, *options, "--", *command], **how)


def report(trace, options=()):
    """The JSON report of a trace, with every row. Raises ValueError with one line when there is none."""
    ended = run([HEAPWISE, "report", "--format", "json", "--top", "0", *options, trace])
    if ended.status != 0:
        raise ValueError(f"report ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:200]}")
    return json.loads(ended.stdout)


def finished_report(trace, seconds=15):
    """The report once the collector has written its end mark, for runs whose launcher was killed."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = report(trace)
            if not found["run"]["truncated"] or time.monotonic() > deadline:
                return found
        except ValueError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def sites_through(found, function):
    """Rows whose stack goes through a function, with or without its parameter list."""
    wanted = (function, function + "()", function.removesuffix("()"))
    return [site for site in found["call_sites"]
            if any(frame["function"] in wanted or frame["function"].split("(")[0] == function
                   for frame in site["stack"])]


def site_metric(found, function, metric):
    """A metric over all rows through a function: sums, but the extremes of quantiles."""
    if metric.startswith(("syscall.", "stdio.")):
        return io_metric(found, function, metric)
    if metric.startswith("file."):
        return file_metric(found, function, metric)
    values = []
    for site in sites_through(found, function):
        value = site
        for key in metric.split("."):
            value = value[key] if value is not None else None
        if value is not None:
            values.append(value)
    if metric.endswith(".min"):
        return min(values, default=0)
    if metric.endswith(".max") or metric.startswith("max_"):
        return max(values, default=0)
    return sum(values)


def io_metric(found, function, metric):
    """LAYER[.CALL].KEY: the sum over all rows of I/O whose place is the function."""
    layer, *call, key = metric.split(".")
    return sum(site[key] for site in found["io_sites"]
               if site["function"].split("(")[0] == function and site["layer"] == layer and site["op"] in (call or [site["op"]]))


def file_metric(found, name, metric):
    """file.KEY: the sum over all files in whose path the name is."""
    return sum(row[metric.removeprefix("file.")] for row in found["files"] if name in row["path"])


def total_metric(found, metric):
    return found["totals"][metric] if metric in found["totals"] else found["coverage"][metric]


class Folder:
    """A temporary folder for traces, removed at the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="heapwise-test-")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
