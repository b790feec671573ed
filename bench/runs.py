# SPDX-License-Identifier: MIT
"""One bounded run of a command: how long it took, whether it ended well, how much memory its processes held."""
import os
import signal
import subprocess
import tempfile
import threading
import time

POLL_SECONDS = 0.25    # of the guard beside a timed run: rare enough to cost nothing
SAMPLE_SECONDS = 0.005  # of a run that is sampled for its memory, and not timed
GUARD_BYTES = 3 << 30  # a run that holds more is ended, before the machine suffers
DEATHS = ("bad_alloc", "Segmentation fault", "Aborted", "terminate called", "core dumped", "out of memory")


class Outcome:
    """What a run left: wall and processor seconds, why it failed or None, what it printed."""

    def __init__(self, seconds, cpu_seconds, failure, stdout, stderr, peak_bytes):
        self.seconds, self.cpu_seconds, self.failure = seconds, cpu_seconds, failure
        self.stdout, self.stderr, self.peak_bytes = stdout, stderr, peak_bytes


def descendants(root):
    """A process and those below it, whatever sessions and groups they are in."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parents.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
            except (OSError, IndexError):
                continue  # it has just ended
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found


def memory_of(pids, field="Pss:"):
    """Bytes resident, pages that several of them share counted once among them (PSS)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(field))
        except (OSError, ValueError):
            continue
    return total * 1024


def end(root):
    """Kill a process and all below it."""
    for pid in descendants(root):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue


class Guard:
    """Looks at a running process tree now and then: ends it over time or memory, remembers its peak."""

    def __init__(self, root, limit_seconds, every_seconds):
        self.root, self.every = root, every_seconds
        self.deadline = time.monotonic() + limit_seconds
        self.limit_seconds = limit_seconds
        self.failure, self.peak_bytes = None, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(self.every):
            self.peak_bytes = max(self.peak_bytes, memory_of(descendants(self.root)))
            if time.monotonic() > self.deadline:
                self.failure = f"over {self.limit_seconds:.0f} s"
            elif self.peak_bytes > GUARD_BYTES:
                self.failure = f"over {GUARD_BYTES >> 30} GB"
            if self.failure:
                end(self.root)
                return

    def stop(self):
        self.over.set()
        self.thread.join()


class Running:
    """A command that was started; ended() waits for it."""

    def __init__(self, command, environment, folder, limit_seconds, sampled=False):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.began = time.monotonic()
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err, cwd=folder,
                                      env=dict(os.environ, **environment), start_new_session=True)
        self.guard = Guard(self.child.pid, limit_seconds, SAMPLE_SECONDS if sampled else POLL_SECONDS)

    def ended(self):
        _, status, usage = os.wait4(self.child.pid, 0)
        seconds = time.monotonic() - self.began
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.guard.stop()
        stdout, stderr = self.text_of(self.out), self.text_of(self.err)
        failure = self.guard.failure or failure_of(self.child.returncode, stderr)
        return Outcome(seconds, usage.ru_utime + usage.ru_stime, failure, stdout, stderr, self.guard.peak_bytes)

    @staticmethod
    def text_of(file):
        file.seek(0)
        with file:
            return file.read().decode(errors="replace")


def failure_of(status, stderr):
    """Why a run counts as failed, in a few words, or None. Some tools hide the death of the program they watch."""
    for death in DEATHS:
        if death in stderr:
            return f"dies: {death}"
    return f"status {status}" if status else None


def run(command, environment, folder, limit_seconds, sampled=False):
    return Running(command, environment, folder, limit_seconds, sampled).ended()
