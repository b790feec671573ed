# SPDX-License-Identifier: MIT
"""Does `heapwise run` stand in for its command: terminal, signals, limits, and every part that may die?

Each case records a small shell or Python program; what the collector wrote is judged by lib_trace.
"""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lib_trace
from lib_record import HEAPWISE, Verdicts, run

verdicts = Verdicts()
FOLDER = tempfile.mkdtemp(prefix="heapwise-launcher-")
TRACE = os.path.join(FOLDER, "trace.hwt")


def busy(seconds):
    """A Python program that allocates all the time."""
    return ("import time\nend = time.monotonic() + %s\n"
            "while time.monotonic() < end: x = [bytes(1000) for _ in range(200)]\n" % seconds)


def heapwise(*words):
    return [HEAPWISE, "run", "-o", TRACE, *words]


def start(command, **how):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, start_new_session=True, **how)


def wait_until(what, seconds=10):
    """Poll a condition: nothing here depends on how fast the machine is, only on it ever coming."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def family(launcher, command):
    """Pids of collector and command once the command runs."""
    def look():
        for collector in children(launcher):
            for child in children(collector):
                if name(child) == command:
                    return collector, child
        return None
    return wait_until(look)


def finish(child, seconds=20):
    try:
        out, err = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return "over time", b"", b""
    status = child.returncode
    return (128 - status if status < 0 else status), out, err


def expect(faults, what, seen, wanted):
    if seen != wanted:
        faults.append(f"{what}: {seen!r}, expected {wanted!r}")


class Terminal:
    """A process in the foreground of a terminal of its own."""

    def __init__(self, command):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)

    def write(self, text):
        os.write(self.fd, text)

    def wait_for(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, self.seen):
                return True
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 4096)
                except OSError:
                    return re.search(pattern, self.seen) is not None
        return False

    def status(self, seconds=10):
        def ended():
            self.wait_for(b"(?!)", 0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return (os.waitstatus_to_exitcode(status), ) if pid else None
        found = wait_until(ended, seconds)
        if not found:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return "over time"
        return found[0]


def statuses():
    """The command's own status, 128+N, and heapwise's for what it refuses."""
    rows = [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -KILL $$"], 137),
            (["sh", "-c", "kill -TERM $$"], 143), (["/nonexistent"], 127), ([FOLDER], 126)]
    for command, wanted in rows:
        faults = []
        expect(faults, "status", run(heapwise("-q", "--", *command)).status, wanted)
        verdicts.say(f"status_of_{os.path.basename(command[-1]).replace(' ', '_')}", faults)


def unwritable_folder_runs_nothing():
    mark = os.path.join(FOLDER, "mark")
    ended = run([HEAPWISE, "run", "-o", FOLDER + "/no/such/t.hwt", "touch", mark])
    faults = []
    expect(faults, "status", ended.status, 125)
    expect(faults, "was run", os.path.exists(mark), False)
    expect(faults, "lines", ended.stderr.count(b"\n"), 1)
    verdicts.say("unwritable_folder_runs_nothing", faults)


def ctrl_c_reaches_the_program():
    terminal = Terminal(heapwise("-q", "sh", "-c",
                                 "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done"))
    faults = []
    expect(faults, "ready", terminal.wait_for(b"ready"), True)
    terminal.write(b"\x03")
    expect(faults, "caught", terminal.wait_for(b"caught"), True)
    expect(faults, "status", terminal.status(), 5)
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    verdicts.say("ctrl_c_reaches_the_program", faults)


def ctrl_z_and_fg_work_in_a_shell():
    shell = Terminal(["bash", "--norc", "--noprofile", "-i"])
    faults = []
    command = " ".join(heapwise("-q", "sh", "-c", "'echo read''y; read line; echo got $line; exit 4'"))
    shell.write(command.encode() + b"\n")
    expect(faults, "ready", shell.wait_for(b"[\r\n]ready"), True)
    shell.write(b"\x1a")
    expect(faults, "stopped", shell.wait_for(b"Stopped"), True)
    shell.write(b"jobs; fg\n")
    time.sleep(0.3)
    shell.write(b"hello\n")
    expect(faults, "continued", shell.wait_for(b"got hello"), True)
    shell.write(b"echo status=$?\n")
    expect(faults, "status", shell.wait_for(b"status=4"), True)
    shell.write(b"exit\n")
    shell.status()
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    if faults:
        faults.append(repr(shell.seen[-400:]))
    verdicts.say("ctrl_z_and_fg_work_in_a_shell", faults)


def continuing_one_continues_both():
    for who in ("command", "launcher"):
        child = start(heapwise("-q", "sleep", "3"))
        faults = []
        found = family(child.pid, "sleep")
        if found:
            os.kill(found[1], signal.SIGSTOP)
            expect(faults, "both stop", wait_until(lambda: state(child.pid) == "T") is not None, True)
            os.kill(found[1] if who == "command" else child.pid, signal.SIGCONT)
            both = wait_until(lambda: state(child.pid) != "T" and state(found[1]) != "T")
            expect(faults, "both continue", both, True)
        expect(faults, "status", finish(child)[0], 0)
        verdicts.say(f"continuing_the_{who}_continues_both", faults)


def signals_by_kill_are_passed_on():
    child = start(heapwise("-q", "sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done"))
    faults = []
    child.stdout.readline()
    os.kill(child.pid, signal.SIGUSR1)
    expect(faults, "status", finish(child)[0], 9)
    child = start(heapwise("-q", "sleep", "30"))
    family(child.pid, "sleep")
    os.kill(child.pid, signal.SIGTERM)
    expect(faults, "status by TERM", finish(child)[0], 143)
    verdicts.say("signals_by_kill_are_passed_on", faults)


def stopping_may_come_at_any_time():
    faults = []
    for i in range(24):
        # A group of its own in our session: in an orphaned one the kernel stops nobody.
        child = subprocess.Popen(heapwise("-q", "sleep", "0.05"), process_group=0)
        time.sleep(0.0007 * (i % 12))
        os.killpg(child.pid, signal.SIGTSTP)
        time.sleep(0.03)
        os.killpg(child.pid, signal.SIGCONT)
        try:
            expect(faults, "status", child.wait(5), 0)
        except subprocess.TimeoutExpired:
            faults.append(f"hangs, stopped after {0.7 * (i % 12):.1f} ms")
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    verdicts.say("stopping_may_come_at_any_time", faults)


def own_group_signal_is_not_doubled():
    script = "n=0; trap 'n=$((n+1))' USR1; kill -USR1 0; sleep 0.3; echo $n"
    ended = run(heapwise("-q", "sh", "-c", script))
    faults = []
    expect(faults, "signals", ended.stdout.strip(), b"1")
    verdicts.say("own_group_signal_is_not_doubled", faults)


def dead_collector_is_said():
    child = start(heapwise("-q", "python3", "-c", busy(2)))
    faults = []
    found = family(child.pid, "python3")
    time.sleep(0.7)
    os.kill(found[0], signal.SIGKILL)
    status, _, err = finish(child)
    expect(faults, "status", status, 125)
    expect(faults, "lines", err.count(b"\n"), 1)
    expect(faults, "says so", b"collector" in err, True)
    expect(faults, "program goes on", state(found[1]) in ("", "X"), True)
    events = sum(1 for record in lib_trace.records(TRACE) if isinstance(record[0], int))
    expect(faults, "has events", events > 1000, True)
    verdicts.say("dead_collector_is_said", faults)


def dead_launcher_costs_nothing():
    child = start(heapwise("-q", "sh", "-c", "sleep 0.5; ls / >/dev/null"))
    faults = []
    collector = family(child.pid, "sh")[0]
    child.kill()
    wait_until(lambda: state(collector) in ("", "Z"))
    finish(child)
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    verdicts.say("dead_launcher_costs_nothing", faults)


def stopped_collector_does_not_hang_the_program():
    child = start(heapwise("-q", "python3", "-c", "x = [str(i) * 9 for i in range(900000)]"),
                  env=dict(os.environ, PYTHONMALLOC="malloc"))
    faults = []
    collector, command = family(child.pid, "python3")
    os.kill(collector, signal.SIGSTOP)
    ended = wait_until(lambda: state(command) in ("", "Z"), 30)
    expect(faults, "ends", ended, True)
    os.kill(collector, signal.SIGCONT)
    status, _, err = finish(child)
    expect(faults, "status", status, 0)
    expect(faults, "loss is said", b"lost" in err, True)
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    verdicts.say("stopped_collector_does_not_hang_the_program", faults)


def waits_for_the_whole_tree():
    child = start(heapwise("-q", "sh", "-c", "(sleep 0.6; exec ls /) >/dev/null 2>&1 & exit 3"))
    status, _, _ = finish(child)
    faults = []
    expect(faults, "status", status, 3)
    images = [record[2]["arguments"][0] for record in lib_trace.records(TRACE) if record[0] == "image"]
    expect(faults, "grandchild is there", "ls" in images, True)
    verdicts.say("waits_for_the_whole_tree", faults)


def interrupt_ends_waiting():
    child = start(heapwise("sh", "-c", "setsid sleep 40 >/dev/null 2>&1 & sleep 0.1"))
    faults = []
    line = child.stderr.readline()
    expect(faults, "says whom", b"waiting for 1 process" in line and b"(sleep)" in line, True)
    os.kill(child.pid, signal.SIGINT)
    status, _, _ = finish(child)
    expect(faults, "status", status, 0)
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    left = int(re.search(rb"(\d+) \(sleep\)", line).group(1))
    expect(faults, "program goes on", state(left), "S")
    os.kill(left, signal.SIGKILL)
    verdicts.say("interrupt_ends_waiting", faults)


def max_size_stops_recording():
    ended = run(heapwise("-q", "--max-size", "300K", "python3", "-c", busy(1)),
                environment={"PYTHONMALLOC": "malloc"})
    faults = []
    expect(faults, "status", ended.status, 0)
    expect(faults, "says so", b"--max-size" in ended.stderr, True)
    expect(faults, "size", os.path.getsize(TRACE) <= 300 * 1024, True)
    kinds = [record[0] for record in lib_trace.records(TRACE)]
    expect(faults, "stopped, end", ("stopped" in kinds, kinds[-1]), (True, "end"))
    verdicts.say("max_size_stops_recording", faults)


def full_disk_stops_recording():
    if os.geteuid() != 0:
        return verdicts.skip("full_disk_stops_recording", "needs root to mount a small tmpfs")
    disk = tempfile.mkdtemp(dir=FOLDER)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]).returncode:
        return verdicts.skip("full_disk_stops_recording", "cannot mount a tmpfs")
    trace = os.path.join(disk, "t.hwt")
    ended = run([HEAPWISE, "run", "-q", "-o", trace, "python3", "-c", busy(1.5)],
                environment={"PYTHONMALLOC": "malloc"})
    faults = []
    expect(faults, "status", ended.status, 0)
    expect(faults, "says so", b"disk is full" in ended.stderr, True)
    expect(faults, "whole trace", lib_trace.is_whole(trace), True)
    subprocess.run(["umount", disk])
    verdicts.say("full_disk_stops_recording", faults)


def limits_are_the_programs_alone():
    script = "ulimit -S -a; ulimit -H -a; umask; grep Sig[PBIC] /proc/self/status; ls -l /proc/self/fd | wc -l"
    for limit in ("true", "ulimit -S -v 400000", "ulimit -n 16", "ulimit -f 90000", "ulimit -t 5",
                  "trap '' INT HUP; umask 077"):
        plain = run(["bash", "-c", f"{limit}; exec bash -c '{script}'"])
        under = run(["bash", "-c", f"{limit}; exec {' '.join(heapwise('-q'))} bash -c '{script}'"])
        faults = []
        expect(faults, "status", under.status, plain.status)
        expect(faults, "output", under.stdout, plain.stdout)
        expect(faults, "messages", under.stderr, plain.stderr)
        verdicts.say(f"limits_are_the_programs_alone_{limit.split()[0]}_{limit.split()[-1]}", faults)


def file_limit_stops_recording():
    ended = run(["bash", "-c", f"ulimit -f 4000; PYTHONMALLOC=malloc exec {' '.join(heapwise('-q'))} "
                               f"python3 -c '{busy(4)}'"])
    faults = []
    expect(faults, "status", ended.status, 0)
    expect(faults, "says so", b"file size limit" in ended.stderr, True)
    expect(faults, "size", os.path.getsize(TRACE) <= 4000 * 1024, True)
    expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
    verdicts.say("file_limit_stops_recording", faults)


def a_trace_may_be_piped():
    # As bash does for -o >(command): the path names a descriptor of ours.
    reader, writer = os.pipe()
    whole = os.path.join(FOLDER, "piped.hwt")
    with open(whole, "wb") as file:
        copy = subprocess.Popen(["cat"], stdin=reader, stdout=file)
    child = subprocess.Popen([HEAPWISE, "run", "-o", f"/dev/fd/{writer}", "ls", "/"], pass_fds=[writer],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(reader), os.close(writer)
    err = child.communicate()[1]
    copy.wait()
    faults = []
    expect(faults, "status", child.returncode, 0)
    expect(faults, "whole trace", lib_trace.is_whole(whole), True)
    expect(faults, "asks to read the pipe", b"next:" in err, False)
    verdicts.say("a_trace_may_be_piped", faults)


def closed_standard_streams_stay_closed():
    # The shell in between has no descriptor of its own in the way.
    for closed in ("<&-", ">&- 2>&-", "<&- >&- 2>&-"):
        seen = os.path.join(FOLDER, "seen")
        look = f"python3 -c \"import os; fds = [fd for fd in range(3) if os.path.exists('/proc/self/fd/%d' % fd)]; " \
               f"open('{seen}', 'w').write(str(fds))\""
        faults, found = [], []
        for prefix in ("", " ".join(heapwise("-q")) + " "):
            ended = run(["bash", "-c", f"exec {prefix}{look} {closed}"])
            expect(faults, "status", ended.status, 0)
            with open(seen) as file:
                found.append(file.read())
        expect(faults, "open ones", found[1], found[0])
        expect(faults, "whole trace", lib_trace.is_whole(TRACE), True)
        verdicts.say(f"closed_standard_streams_stay_closed_{closed.replace(' ', '_')}", faults)


def pipes_close_when_the_program_closes_them():
    # The program closes its standard output and then waits for us to notice.
    child = start(heapwise("-q", "sh", "-c", "exec >&-; sleep 5"))
    faults = []
    began = time.monotonic()
    child.stdout.read()
    expect(faults, "end of file came", time.monotonic() - began < 4, True)
    finish(child)
    verdicts.say("pipes_close_when_the_program_closes_them", faults)


def nested_runs_record_the_inner_one():
    inner = os.path.join(FOLDER, "inner.hwt")
    ended = run(heapwise("-q", HEAPWISE, "run", "-q", "-o", inner, "ls", "/"))
    faults = []
    expect(faults, "status", ended.status, 0)
    for trace, wanted in ((TRACE, "heapwise"), (inner, "ls")):
        images = [record[2] for record in lib_trace.records(trace) if record[0] == "image"]
        names = {os.path.basename(image["executable"]) for image in images}
        expect(faults, os.path.basename(trace), wanted in names, True)
    verdicts.say("nested_runs_record_the_inner_one", faults)


def install(name):
    """The command and its shim in a folder of that name. Returns the command."""
    folder = os.path.join(FOLDER, name)
    os.makedirs(folder)
    shim = os.path.join(os.path.dirname(os.path.realpath(HEAPWISE)), "../preload/libheapwise-preload.so")
    for file in (os.path.realpath(HEAPWISE), shim):
        shutil.copy(file, folder)
    return os.path.join(folder, "heapwise")


def installation_may_lie_anywhere():
    ended = run([install("a b:c \u00e9"), "run", "-q", "-o", TRACE, "ls", "/"])
    faults = []
    expect(faults, "status", ended.status, 0)
    expect(faults, "messages", ended.stderr, b"")
    expect(faults, "recorded", any(record[0] == "image" for record in lib_trace.records(TRACE)), True)
    verdicts.say("installation_may_lie_anywhere", faults)


def link_to_the_shim_is_removed():
    command, runtime = install("with a space"), tempfile.mkdtemp(dir=FOLDER)
    environment = {"XDG_RUNTIME_DIR": runtime}
    broken = os.path.join(FOLDER, "broken")
    with open("/bin/true", "rb") as whole, open(broken, "wb") as file:
        file.write(whole.read(4096)) # looks right, and the kernel cannot map it
    os.chmod(broken, 0o755)
    for name, words in (("after_a_run", ["-o", TRACE, "true"]), ("without_a_trace", ["-o", FOLDER + "/no/t", "true"]),
                        ("without_a_command", ["-o", TRACE, broken])):
        run([command, "run", "-q", *words], environment=environment)
        verdicts.say(f"link_to_the_shim_is_removed_{name}", os.listdir(runtime))
    child = start([command, "run", "-q", "-o", TRACE, "sleep", "0.5"], env=dict(os.environ, **environment))
    faults = []
    found = family(child.pid, "sleep")
    expect(faults, "link", len(os.listdir(runtime)), 1)
    os.kill(found[0], signal.SIGKILL)
    finish(child)
    verdicts.say("link_to_the_shim_is_removed_by_the_launcher", faults + os.listdir(runtime))


def other_users_are_recorded_when_asked():
    if os.geteuid() != 0:
        return verdicts.skip("other_users_are_recorded_when_asked", "needs root")
    ended = run(heapwise("-q", "--other-users", "setpriv", "--reuid=65534", "--regid=65534",
                         "--clear-groups", "ls", "/"))
    faults = []
    expect(faults, "status", ended.status, 0)
    names = [record[2]["arguments"][0] for record in lib_trace.records(TRACE) if record[0] == "image"]
    expect(faults, "recorded", "ls" in names, True)
    os.chmod(FOLDER, 0o755)
    linked = run([install("of others"), "run", "-q", "--other-users", "-o", TRACE, "setpriv", "--reuid=65534",
                  "--regid=65534", "--clear-groups", "ls", "/"], environment={"XDG_RUNTIME_DIR": FOLDER + "/none"})
    expect(faults, "messages through a link", linked.stderr, b"")
    left = [entry for entry in os.listdir("/dev/shm") if entry.startswith("heapwise-")]
    expect(faults, "left over", left, [])
    verdicts.say("other_users_are_recorded_when_asked", faults)


def other_pid_namespaces_keep_their_slots():
    if os.geteuid() != 0:
        return verdicts.skip("other_pid_namespaces_keep_their_slots", "needs root")
    script = "import time\nfor i in range(5):\n x = [bytes(600) for _ in range(2000)]\n time.sleep(0.1)"
    ended = run(heapwise("-q", "unshare", "--pid", "--fork", sys.executable, "-c", script),
                environment={"PYTHONMALLOC": "malloc"})
    faults = []
    expect(faults, "status", ended.status, 0)
    expect(faults, "messages", ended.stderr, b"")
    sizes = [record[3] for record in lib_trace.records(TRACE) if record[0] in (1, 2)]
    expect(faults, "blocks", sum(1 for size in sizes if 600 < size < 700) >= 10000, True)
    verdicts.say("other_pid_namespaces_keep_their_slots", faults)


def many_short_processes_are_all_there():
    script = "i=0; while [ $i -lt 200 ]; do /bin/echo x >/dev/null & i=$((i+1)); done; wait"
    ended = run(heapwise("-q", "sh", "-c", script))
    faults = []
    expect(faults, "messages", ended.stderr, b"")
    names = [record[2]["arguments"][0] for record in lib_trace.records(TRACE) if record[0] == "image"]
    expect(faults, "echoes", names.count("/bin/echo"), 200)
    ends = {record[2] for record in lib_trace.records(TRACE) if record[0] == "process_end"}
    pids = {record[2]["pid"] for record in lib_trace.records(TRACE) if record[0] == "image"}
    expect(faults, "without an end", len(pids - ends), 0)
    verdicts.say("many_short_processes_are_all_there", faults)


def watermarks_are_kept():
    run(heapwise("-q", "python3", "-c",
                 "import threading\ndef f():\n for i in range(60000): bytes(600 + i % 64)\n"
                 "ts = [threading.Thread(target=f) for _ in range(4)]\n"
                 "[t.start() for t in ts]; [t.join() for t in ts]"),
        environment={"PYTHONMALLOC": "malloc"})
    bases, watermark, faults, n = {}, 0, [], 0
    stream = None
    for record in lib_trace.records(TRACE):
        if record[0] == "chunk":
            stream = record[1]
            bases[stream] = record[4]
        elif record[0] == "watermark":
            watermark, n = record[1], n + 1
        elif lib_trace.ticks_since(record) is not None:
            bases[stream] += lib_trace.ticks_since(record)
            if bases[stream] < watermark:
                faults.append(f"a {record[0]} is {watermark - bases[stream]} ticks too late")
    expect(faults, "there are some", n > 5, True)
    verdicts.say("watermarks_are_kept", faults)


def adds_little_to_a_short_command():
    took = sorted(run(heapwise("-q", "true")).seconds for _ in range(11))[5]
    plain = sorted(run(["true"]).seconds for _ in range(11))[5]
    faults = []
    expect(faults, f"{(took - plain) * 1000:.0f} ms is too much", took - plain < 0.05, True)
    verdicts.say("adds_little_to_a_short_command", faults)


CASES = [
    statuses, unwritable_folder_runs_nothing, ctrl_c_reaches_the_program, ctrl_z_and_fg_work_in_a_shell,
    continuing_one_continues_both, signals_by_kill_are_passed_on, own_group_signal_is_not_doubled,
    stopping_may_come_at_any_time,
    dead_collector_is_said, dead_launcher_costs_nothing, stopped_collector_does_not_hang_the_program,
    waits_for_the_whole_tree, interrupt_ends_waiting, max_size_stops_recording, full_disk_stops_recording,
    limits_are_the_programs_alone, file_limit_stops_recording, a_trace_may_be_piped,
    closed_standard_streams_stay_closed, pipes_close_when_the_program_closes_them,
    nested_runs_record_the_inner_one, installation_may_lie_anywhere, link_to_the_shim_is_removed,
    other_users_are_recorded_when_asked,
    other_pid_namespaces_keep_their_slots, many_short_processes_are_all_there, watermarks_are_kept, adds_little_to_a_short_command,
]

try:
    for case in CASES:
        if not sys.argv[2:] or case.__name__ in sys.argv[2:]:
            case()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
verdicts.end()
