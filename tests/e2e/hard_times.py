#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What goes wrong around a recording must not go wrong in the program: it ends, with its output and
status, and what was lost is said.

    hard_times.py [BUILD] [NAME...]
"""
import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

from lib_record import BUILD, HEAPWISE, Folder, Verdicts, report, run

# Says where the recorder is, waits for a line, allocates for a while, says so.
WORKER = """
import os, sys
print(os.environ.get('HEAPWISE_SESSION', ''), os.getpid(), flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[1])): x = [str(i) for i in range(1000)]
print('done', flush=True)
raise SystemExit(5)
"""


class Recording:
    """A recorded worker that has told its own and the collector's process id and waits for `go`."""

    def __init__(self, folder, options=(), rounds=2000):
        self.trace = os.path.join(folder, "hard.hwt")
        self.launcher = subprocess.Popen(
            [HEAPWISE, "run", "-o", self.trace, *options, "--", "/usr/bin/python3", "-S", "-c", WORKER, str(rounds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
            env=dict(os.environ, PYTHONMALLOC="malloc"))
        line = self.launcher.stdout.readline().decode()
        match = re.match(r"/proc/(\d+)/fd/\d+ (\d+)", line)
        if not match:
            self.end()
            raise ValueError(f"the worker said {line!r}")
        self.collector, self.worker = int(match.group(1)), int(match.group(2))

    def go(self):
        self.launcher.stdin.write(b"go\n")
        self.launcher.stdin.flush()

    def end(self, seconds=60):
        try:
            out, err = self.launcher.communicate(timeout=seconds)
            return self.launcher.returncode, out, err.decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(self.launcher.pid, signal.SIGKILL)
            out, err = self.launcher.communicate()
            return "over time", out, err.decode(errors="replace")


def plain(folder):
    """The yardstick for the others: nothing goes wrong."""
    recording = Recording(folder)
    recording.go()
    status, out, err = recording.end()
    found = report(recording.trace)
    return [f"{status} {out} {err}"] * (status != 5 or out != b"done\n") + \
        [f"lost {found['totals']['lost_events']}"] * (found["totals"]["lost_events"] != 0)


def stopped_collector(folder):
    """A collector that is stopped for good: the program waits some seconds at most, then goes on without."""
    recording = Recording(folder)
    os.kill(recording.collector, signal.SIGSTOP)
    recording.go()
    began = time.monotonic()
    said = recording.launcher.stdout.readline()
    took = time.monotonic() - began
    os.kill(recording.collector, signal.SIGCONT)
    status, _, err = recording.end()
    found = report(recording.trace)
    faults = []
    if said != b"done\n" or status != 5:
        faults.append(f"said {said!r}, ended with {status}")
    if took > 20:
        faults.append(f"the program took {took:.1f} s")
    if found["totals"]["lost_events"] == 0 or "lost" not in err:
        faults.append(f"lost {found['totals']['lost_events']}, said {err!r}")
    return faults


def paused_collector(folder):
    """One that is stopped for a second is waited for, and nothing is lost."""
    recording = Recording(folder)
    os.kill(recording.collector, signal.SIGSTOP)
    recording.go()
    time.sleep(1)
    os.kill(recording.collector, signal.SIGCONT)
    status, out, _ = recording.end()
    found = report(recording.trace)
    return [f"{status} {out}"] * (status != 5 or out != b"done\n") + \
        [f"lost {found['totals']['lost_events']}"] * (found["totals"]["lost_events"] != 0)


def killed_collector(folder):
    """The program goes on; the launcher says what happened and ends with 125; the trace is readable."""
    recording = Recording(folder)
    os.kill(recording.collector, signal.SIGKILL)
    recording.go()
    began = time.monotonic()
    status, out, err = recording.end()
    took = time.monotonic() - began
    faults = []
    if out != b"done\n":
        faults.append(f"the program said {out!r}")
    if status != 125 or "heapwise: " not in err:
        faults.append(f"ended with {status}, said {err!r}")
    if took > 20:
        faults.append(f"took {took:.1f} s")
    found = report(recording.trace)
    return faults + ([] if found["run"]["truncated"] else ["the trace is not called truncated"])


def killed_launcher(folder):
    """The collector goes on to the end."""
    recording = Recording(folder)
    os.kill(recording.launcher.pid, signal.SIGKILL)
    recording.go()
    out = recording.launcher.stdout.read()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = report(recording.trace)
        if not found["run"]["truncated"]:
            break
        time.sleep(0.2)
    recording.end()
    return [f"the program said {out!r}"] * (out != b"done\n") + \
        ["the trace stays truncated"] * found["run"]["truncated"]


def stopped_and_continued(folder):
    """SIGTSTP to the group, as ^Z sends it: all stop; after SIGCONT all go on and nothing is lost."""
    recording = Recording(folder, rounds=3000)
    recording.go()
    time.sleep(0.3)
    os.killpg(recording.launcher.pid, signal.SIGTSTP)
    deadline, states = time.monotonic() + 5, ()
    while time.monotonic() < deadline:
        states = tuple(open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0]
                       for pid in (recording.launcher.pid, recording.worker))
        if states == ("T", "T"):
            break
        time.sleep(0.02)
    os.killpg(recording.launcher.pid, signal.SIGCONT)
    status, out, _ = recording.end()
    found = report(recording.trace)
    return [f"states {states}"] * (states != ("T", "T")) + [f"{status} {out}"] * (status != 5 or out != b"done\n") + \
        [f"lost {found['totals']['lost_events']}"] * (found["totals"]["lost_events"] != 0)


def terminated(folder):
    """SIGTERM to the launcher reaches the program, and its status comes back."""
    recording = Recording(folder)
    os.kill(recording.launcher.pid, signal.SIGTERM)
    status, _, _ = recording.end()
    found = report(recording.trace)
    return [] if status == 128 + 15 and found["run"]["exit_signal"] == 15 and not found["run"]["truncated"] else \
        [f"ended with {status}, reported {found['run']['exit_signal']}"]


def size_limit(folder):
    recording = Recording(folder, ["--max-size", "64K"])
    recording.go()
    status, out, err = recording.end()
    found = report(recording.trace)
    n_bytes = os.path.getsize(recording.trace)
    faults = [f"{status} {out}"] * (status != 5 or out != b"done\n")
    if n_bytes > 64 * 1024:
        faults.append(f"the trace has {n_bytes} bytes")
    if found["totals"]["alloc_count"] == 0 or not re.search("stopped|max-size|limit", err):
        faults.append(f"{found['totals']['alloc_count']} allocations, said {err!r}")
    return faults


def full_disk(folder):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True, capture_output=True)
    try:
        recording = Recording(disk)
        recording.go()
        status, out, err = recording.end()
        found = report(recording.trace)
        return [f"{status} {out}"] * (status != 5 or out != b"done\n") + \
            [f"{found['totals']['alloc_count']} allocations, said {err!r}"] * \
            (found["totals"]["alloc_count"] < 1000 or "disk is full" not in err)
    finally:
        subprocess.run(["umount", disk], check=False)


def file_limit(folder):
    """A limit on file sizes is the program's and the trace's, and SIGXFSZ is nobody's."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, old[1]))
    try:
        recording = Recording(folder)
        recording.go()
        status, out, err = recording.end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    found = report(recording.trace)
    return [f"{status} {out} {err}"] * (status != 5 or out != b"done\n") + \
        ["nothing recorded"] * (found["totals"]["alloc_count"] == 0)


def dropping(folder):
    """--on-full drop with the smallest ring never waits, and counts."""
    recording = Recording(folder, ["--on-full", "drop", "--buffer", "64K"])
    os.kill(recording.collector, signal.SIGSTOP)
    recording.go()
    began = time.monotonic()
    said = recording.launcher.stdout.readline()
    took = time.monotonic() - began
    os.kill(recording.collector, signal.SIGCONT)
    status, _, _ = recording.end()
    found = report(recording.trace)
    return [f"{said!r} after {took:.1f} s, status {status}"] * (said != b"done\n" or took > 10 or status != 5) + \
        ["no loss counted"] * (found["totals"]["lost_events"] == 0)


def start_cost(folder):
    """`heapwise run -- true` adds at most 50 ms (the least of several tries; the machine may be busy)."""
    trace = os.path.join(folder, "true.hwt")
    alone = min(run(["true"]).seconds for _ in range(10))
    ours = min(run([HEAPWISE, "run", "--quiet", "-o", trace, "--", "true"]).seconds for _ in range(10))
    print(f"# true: {alone * 1000:.1f} ms alone, {ours * 1000:.1f} ms recorded")
    return [] if ours - alone <= 0.050 else [f"adds {(ours - alone) * 1000:.1f} ms"]


class Filter(ctypes.Structure):
    """One instruction of a seccomp filter: struct sock_filter."""
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    """struct sock_fprog."""
    _fields_ = [("n", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]


def be_filtered():
    """Put this process under a seccomp filter that allows everything, as one in a container is."""
    allow = Filter(0x06, 0, 0, 0x7fff0000)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(Program(1, ctypes.pointer(allow))), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def container(folder):
    """The filter that heapwise and the program are both under takes nothing away: threads beyond the rings are waited
    for, and have names."""
    trace = os.path.join(folder, "filtered.hwt")
    ended = subprocess.run([HEAPWISE, "run", "--quiet", "-o", trace, "--", os.path.join(BUILD, "tests/victims/many_threads")],
                           preexec_fn=be_filtered, timeout=60, capture_output=True, check=False)
    found = report(trace)
    named = run([HEAPWISE, "dump", trace]).stdout.count(b'"name": "many_threads"')
    return [f"ended with {ended.returncode}: {ended.stderr[-200:]}"] * (ended.returncode != 0) + \
        [f"lost {found['totals']['lost_events']}"] * (found["totals"]["lost_events"] != 0) + \
        [f"{named} threads have names"] * (named != 1 + 10 * 64)


def nested(folder):
    """heapwise under heapwise: the inner one records the program."""
    inner, outer = os.path.join(folder, "inner.hwt"), os.path.join(folder, "outer.hwt")
    ended = run([HEAPWISE, "run", "--quiet", "-o", outer, "--", HEAPWISE, "run", "--quiet", "-o", inner, "--",
                 "/usr/bin/perl", "-e", "print 'x' x 3; exit 3"])
    faults = [] if (ended.status, ended.stdout) == (3, b"xxx") else [f"{ended.status} {ended.stderr[-200:]}"]
    commands = [os.path.basename(process["command"][0]) for process in report(inner)["processes"]]
    return faults + ([] if commands == ["perl"] else [f"the inner trace holds {commands}"])


# Thick events that compress well, many of them.
CROWD = """
import json
d = [{'a': i, 'b': str(i)} for i in range(2000)]
for _ in range(80): d = json.loads(json.dumps(d))
"""
EVENTS = ("malloc", "calloc", "free", "realloc_begin", "realloc_new", "mmap", "munmap", "io", "path_call", "stdio")


def read_parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Crowd:
    """A program and its recorder on one processor, so that frames are stored in a hurry (collector/pace.h) and packed
    in the end, which another inode tells."""

    def __init__(self, folder):
        self.folder, self.trace = folder, os.path.join(folder, "crowd.hwt")
        one = {min(os.sched_getaffinity(0))}
        self.launcher = subprocess.Popen(
            [HEAPWISE, "run", "-o", self.trace, "--", "/usr/bin/python3", "-S", "-c", CROWD], stderr=subprocess.PIPE,
            env=dict(os.environ, PYTHONMALLOC="malloc"), preexec_fn=lambda: os.sched_setaffinity(0, one))
        while not os.path.exists(self.trace) and self.launcher.poll() is None:
            time.sleep(0.001)
        self.inode = os.stat(self.trace).st_ino

    def is_being_packed(self):
        return len(os.listdir(self.folder)) > 1

    def end(self):
        """What is wrong with what it left."""
        _, err = self.launcher.communicate(timeout=60)
        status = os.stat(self.trace)
        dump = run([HEAPWISE, "dump", self.trace])
        end = json.loads(dump.stdout.splitlines()[-1])
        n_events = sum(dump.stdout.count(b'{"record": "%s",' % name.encode()) for name in EVENTS)
        self.packed = status.st_ino != self.inode
        self.bytes_per_event = status.st_size / n_events
        print(f"# {n_events} events of {self.bytes_per_event:.2f} bytes, packed: {self.packed}")
        said = re.search(rb"wrote .* \((.*) MiB\)", err)
        return [f"status {self.launcher.returncode} {err!r}"] * (self.launcher.returncode != 0) + \
            [f"{end} and not {n_events} events"] * (end.get("events") != n_events or end.get("lost") != 0) + \
            [f"mode {status.st_mode:o}"] * (status.st_mode & 0o7777 != 0o600) + \
            [f"left {os.listdir(self.folder)}"] * self.is_being_packed() + \
            [f"said {err!r} of {status.st_size} bytes"] * \
            (not said or abs(float(said[1]) * 1048576 - status.st_size) > 60000)


def crowded(folder):
    """The work that was put off is done before the end."""
    crowd = Crowd(folder)
    faults = crowd.end()
    return faults + [f"{crowd.bytes_per_event} bytes an event"] * (crowd.packed and crowd.bytes_per_event > 5)


def interrupted_packing(folder):
    """Ctrl-C while the trace is packed: the end comes, with the trace as it was."""
    crowd = Crowd(folder)
    while crowd.launcher.poll() is None and not crowd.is_being_packed():
        pass
    while crowd.launcher.poll() is None:
        crowd.launcher.send_signal(signal.SIGINT)
        time.sleep(0.001)
    return crowd.end()


def killed_packing(folder):
    """The collector dies while the trace is packed: the trace is whole, under its name."""
    crowd = Crowd(folder)
    while crowd.launcher.poll() is None and not crowd.is_being_packed():
        pass
    for task in os.listdir("/proc"):
        if task.isdigit() and read_parent(task) == crowd.launcher.pid:
            os.kill(int(task), signal.SIGKILL)
    crowd.launcher.communicate(timeout=60)
    found = report(crowd.trace)
    return [f"lost {found['totals']['lost_events']}"] * (found["totals"]["lost_events"] != 0) + \
        ["cut"] * found["run"]["truncated"]


CASES = {
    "nothing goes wrong": plain,
    "the collector is stopped": stopped_collector,
    "the collector is paused": paused_collector,
    "the collector is killed": killed_collector,
    "the launcher is killed": killed_launcher,
    "stop and continue": stopped_and_continued,
    "SIGTERM": terminated,
    "--max-size": size_limit,
    "full disk": full_disk,
    "RLIMIT_FSIZE": file_limit,
    "--on-full drop": dropping,
    "cost of starting": start_cost,
    "in a container": container,
    "in a crowd": crowded,
    "Ctrl-C while packing": interrupted_packing,
    "the collector is killed while packing": killed_packing,
    "heapwise under heapwise": nested,
}


def main():
    verdicts = Verdicts()
    wanted = [name for name in sys.argv[1:] if not os.path.isdir(name)]
    for name, check in CASES.items():
        if wanted and name not in wanted:
            continue
        with Folder() as folder:
            try:
                faults = check(folder)
            except subprocess.CalledProcessError as error:
                verdicts.skip(f"hard times: {name}", f"{error.cmd[0]} is not permitted here")
                continue
            except (ValueError, KeyError, TypeError, OSError) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(f"hard times: {name}", faults)
    verdicts.end()


main()
