#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs behave the same with and without heapwise: output, status, descriptors, signals, threads.

    invisible.py [BUILD] [NAME...]
"""
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time

from lib_record import BUILD, HEAPWISE, ROOT, Folder, Verdicts, record, report, run

VICTIMS = os.path.join(BUILD, "tests", "victims")
SOURCE = os.path.join(ROOT, "trace", "pack.c")
NUMBERS = re.compile(rb"\d+")


def same(alone, ended, scrub=lambda text: text):
    faults = []
    if ended.status != alone.status:
        faults.append(f"status {ended.status} instead of {alone.status}")
    for stream in ("stdout", "stderr"):
        wanted, seen = scrub(getattr(alone, stream)), scrub(getattr(ended, stream))
        if wanted != seen:
            faults.append(f"{stream} is {seen[-200:]!r} instead of {wanted[-200:]!r}")
    return faults


def recorded(trace, at_least=1):
    """The run must have been seen, too: an invisible profiler that records nothing is no use."""
    found = report(trace)
    faults = []
    if found["totals"]["alloc_count"] < at_least:
        faults.append(f"only {found['totals']['alloc_count']} allocations recorded")
    if found["totals"]["lost_events"] or found["coverage"]["unknown_frees"]:
        faults.append(f"lost {found['totals']['lost_events']}, unknown frees {found['coverage']['unknown_frees']}")
    return faults


def twice(command, folder, scrub=lambda text: text, **how):
    trace = os.path.join(folder, "same.hwt")
    alone, ended = run(command, folder=folder, **how), record(command, trace, folder=folder, **how)
    return same(alone, ended, scrub) + recorded(trace)


def plain(*command, scrub=lambda text: text):
    return lambda folder: twice(list(command), folder, scrub)


def without_pids(text):
    return re.sub(rb"\b\d{2,}\b", b"N", text)


BASH = """
trap 'echo trapped' USR1; kill -USR1 $$; for i in {1..500}; do a[$i]=$((i * i)); done; echo ${#a[@]}
(exit 4) || echo "sub $?"; echo one two three | { read x y; echo "$y"; }; ulimit -a; umask; trap -p
diff <(seq 3) <(seq 4); cat <<< here; exec 7</dev/null; ls -l /proc/self/fd | awk '{print $9, $10, $11}'
printf '%s\\n' {a..c}{1..3} | sort -r | tail -n 2; no_such_command; exit 42
"""
PYTHON = """
import os, signal, subprocess, sys, threading
print(sorted(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task')))
print({s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM)})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
counted = threading.Event()
threads = [threading.Thread(target=lambda: ([str(i) for i in range(5000)], counted.wait())) for _ in range(4)]
[t.start() for t in threads]; print(len(os.listdir('/proc/self/task'))); counted.set(); [t.join() for t in threads]
print(subprocess.run(['sh', '-c', 'echo child; exit 3'], capture_output=True))
print(sum(len(str(i)) for i in range(20000)), file=sys.stderr)
raise SystemExit(9)
"""


def descriptors(folder):
    return twice(["ls", "-l", "/proc/self/fd"], folder,
                 lambda text: re.sub(rb"(?m)^.* (\d+ -> )", rb"\1", re.sub(rb"/proc/\d+|pipe:\S+|#\d+.*", b"", text)))


def compiler(folder):
    faults = twice(["gcc", "-O2", "-g", "-I" + ROOT, "-c", SOURCE, "-o", "object.o"], folder)
    with open(os.path.join(folder, "object.o"), "rb") as file:
        ours = file.read()
    run(["gcc", "-O2", "-g", "-I" + ROOT, "-c", SOURCE, "-o", "object.o"], folder=folder)
    with open(os.path.join(folder, "object.o"), "rb") as file:
        return faults if file.read() == ours else faults + ["the object file differs"]


def surroundings(folder):
    """With descriptors, a mask, an ignored signal, a umask and limits that are not the usual ones."""
    def odd():
        os.umask(0o027)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGWINCH])
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 9)
        os.set_inheritable(9, True)
    state = os.path.join(VICTIMS, "show_state")
    outputs = []
    for command in ([state], [HEAPWISE, "run", "--quiet", "-o", os.path.join(folder, "odd.hwt"), "--", state]):
        done = subprocess.run(command, capture_output=True, preexec_fn=odd, close_fds=False, cwd=folder,
                              stdin=subprocess.DEVNULL, timeout=60, restore_signals=False, check=False)
        outputs.append((done.returncode, done.stdout, done.stderr))
    if outputs[0] == outputs[1]:
        return []
    wanted, seen = outputs[0][1].splitlines(), outputs[1][1].splitlines()
    return [f"status {outputs[1][0]}, missing {[line for line in wanted if line not in seen]}, "
            f"new {[line for line in seen if line not in wanted]}, stderr {outputs[1][2][-200:]}"]


def own_preload(folder):
    libraries = [os.path.join(VICTIMS, f"libplugin_{n}.so") for n in ("one", "two")]
    script = 'echo "$LD_PRELOAD" | tr ": " "\\n\\n" | grep -v heapwise; ' \
             "cat /proc/self/maps | grep -o 'libplugin_[a-z]*.so' | sort -u"
    faults = []
    for separator in (":", " "):
        faults += twice(["sh", "-c", script], folder, environment={"LD_PRELOAD": separator.join(libraries)})
    return faults


def standard_input(folder):
    faults = []
    for command in (["cat"], [HEAPWISE, "run", "--quiet", "-o", os.path.join(folder, "in.hwt"), "--", "cat"]):
        done = subprocess.run(command, input=b"some\0input\n" * 50000, capture_output=True, timeout=60, check=False)
        if done.returncode != 0 or done.stdout != b"some\0input\n" * 50000 or done.stderr:
            faults.append(f"{command[-1]} gave {done.returncode}, {len(done.stdout)} bytes, {done.stderr[-200:]!r}")
    return faults


TERMINAL = "import os, sys; print([os.isatty(i) for i in range(3)], os.tcgetpgrp(0) == os.getpgrp(), " \
           "os.getsid(0) == os.getpgid(os.getppid()), os.ttyname(0) == os.ttyname(2))"


def on_terminal(command, then=None):
    """Run a command on a terminal of its own; gives what it printed and its wait status."""
    child, master = os.forkpty()
    if child == 0:
        os.execvp(command[0], command)
    output, deadline = b"", time.monotonic() + 30
    os.set_blocking(master, False)
    while time.monotonic() < deadline:
        try:
            chunk = os.read(master, 4096)
            if not chunk:
                break
            output += chunk
            if then and then[0] in output:
                os.write(master, then[1])
                then = None
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    done, status = os.waitpid(child, os.WNOHANG)
    while not done and time.monotonic() < deadline:
        time.sleep(0.01)
        done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        status = "over time"
    os.close(master)
    return output, status


def terminal(folder):
    command = ["/usr/bin/python3", "-c", TERMINAL]
    alone = on_terminal(command)
    trace = os.path.join(folder, "tty.hwt")
    ours = on_terminal([HEAPWISE, "run", "--quiet", "--progress", "never", "-o", trace, "--", *command])
    # The session's leader is the launcher then, which is the one difference a program may see.
    wanted = re.sub(rb"\) \w+ ", b") ", alone[0])
    return [] if (wanted, alone[1]) == (re.sub(rb"\) \w+ ", b") ", ours[0]), ours[1]) else [f"{ours} instead of {alone}"]


def interrupted(folder):
    """Ctrl-C reaches the program, the trace is whole, the status is the program's own."""
    script = "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.05; done"
    trace = os.path.join(folder, "int.hwt")
    alone = on_terminal(["sh", "-c", script], (b"ready", b"\x03"))
    ours = on_terminal([HEAPWISE, "run", "--quiet", "--progress", "never", "-o", trace, "--", "sh", "-c", script],
                       (b"ready", b"\x03"))
    faults = [] if alone == ours else [f"{ours} instead of {alone}"]
    return faults + (["the trace is truncated"] if report(trace)["run"]["truncated"] else [])


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Server:
    """A server in the background, alone or recorded; `stop` gives how it ended."""

    def __init__(self, command, trace=None, **how):
        if trace:
            command = [HEAPWISE, "run", "--quiet", "-o", trace, "--", *command]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, start_new_session=True, **how)

    def stop(self, number=signal.SIGTERM, send=True):
        if send:
            self.child.send_signal(number)
        try:
            out, err = self.child.communicate(timeout=30)
            return self.child.returncode, out, err
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            out, err = self.child.communicate()
            return "over time", out, err


def redis_session(folder, trace):
    socket = os.path.join(folder, "redis.sock")
    server = Server(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder,
                     "--daemonize", "no"], trace)
    if not wait_for(lambda: os.path.exists(socket)):
        return "no socket", server.stop()
    cli = ["redis-cli", "-s", socket]
    answers = [run([*cli, *words]).stdout for words in (
        ["ping"], ["set", "key", "value"], ["get", "key"], ["rpush", "list", "a", "b", "c"], ["lrange", "list", "0", "-1"],
        ["eval", "return {1,2,redis.call('get','key')}", "0"], ["dbsize"])]
    benchmark = run(["redis-benchmark", "-s", socket, "-q", "-n", "3000", "-c", "20", "-t", "set,get,lpush"])
    answers.append((benchmark.status, len(re.findall(rb"requests per second", benchmark.stdout))))
    status, out, err = server.stop()
    log = [re.sub(rb"^\d+:(\w) .*?\d\d:\d\d:\d\d\.\d+ ", rb"\1 ", line) for line in out.splitlines()]
    log = [re.sub(rb"\d+(\.\d+)?", b"N", line) for line in log]
    return answers, status, log, err


def redis(folder):
    alone = redis_session(folder, None)
    trace = os.path.join(folder, "redis.hwt")
    ours = redis_session(folder, trace)
    return ([] if alone == ours else [f"{ours} instead of {alone}"]) + recorded(trace, 1000)


NGINX = """
worker_processes 2; daemon off; pid {0}/nginx.pid; error_log {0}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;
uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;
server {{ listen unix:{0}/nginx.sock; root {0}/www; gzip on; gzip_min_length 1; }} }}
"""


def nginx_session(folder, trace):
    socket = os.path.join(folder, "nginx.sock")
    server = Server(["nginx", "-c", os.path.join(folder, "nginx.conf"), "-p", folder], trace)
    if not wait_for(lambda: os.path.exists(socket)):
        return "no socket", server.stop()
    curl = ["curl", "-s", "-S", "--unix-socket", socket, "-w", "%{http_code} %{size_download}"]
    answers = [(lambda e: (e.status, e.stdout, e.stderr))(run([*curl, *words])) for words in (
        ["http://x/page"], ["--compressed", "http://x/page"], ["http://x/none"], ["-r", "0-99", "http://x/page"])]
    status, out, err = server.stop(signal.SIGQUIT)
    with open(os.path.join(folder, "error.log"), "rb") as file:
        errors = [line for line in file.read().splitlines() if b"[notice]" not in line and b"[error]" not in line]
    return answers, status, out, err, errors


def nginx(folder):
    os.mkdir(os.path.join(folder, "www"))
    with open(os.path.join(folder, "www", "page"), "w", encoding="utf-8") as file:
        file.write("a line of a page\n" * 5000)
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder))
    alone = nginx_session(folder, None)
    trace = os.path.join(folder, "nginx.hwt")
    ours = nginx_session(folder, trace)
    faults = [] if alone == ours else [f"{ours} instead of {alone}"]
    n_processes = len(report(trace)["processes"])
    return faults + recorded(trace, 100) + ([] if n_processes == 3 else [f"{n_processes} processes instead of 3"])


SQL = "CREATE TABLE t(i int, s text); INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 20000) n; " \
      "CREATE INDEX ON t(s); SELECT count(*), max(s) FROM t WHERE s LIKE 'row 1%'; SELECT 1 / 0;"


def postgres_session(folder, binaries, kind, trace):
    """initdb, a server, a psql session; each of them recorded when there is a folder for traces."""
    data = os.path.join(folder, "data")

    def command(name, words):
        words = [os.path.join(binaries, words[0]), *words[1:]]
        if trace:
            words = [HEAPWISE, "run", "--quiet", "-o", os.path.join(folder, name + ".hwt"), "--", *words]
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *words]
    initdb = run(command("initdb", ["initdb", "-D", data, "-A", "trust", "-N", "-U", "postgres", "--no-locale",
                                    "-E", "UTF8"]), environment={"TZ": "UTC"}, folder=folder)
    server = Server(command("server", ["postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
                                       "-c", "logging_collector=off"]), cwd=folder)
    socket = os.path.join(folder, ".s.PGSQL.5432")
    wait_for(lambda: os.path.exists(socket) and run([os.path.join(binaries, "pg_isready"), "-h", folder]).status == 0)
    psql = run(command("psql", ["psql", "-h", folder, "-U", "postgres", "-X", "-c", SQL]), folder=folder)
    psql_rows = run(command("rows", ["psql", "-h", folder, "-U", "postgres", "-X", "-Atc", SQL.rsplit(";", 2)[0]]),
                    folder=folder)
    with open(os.path.join(data, "postmaster.pid"), encoding="utf-8") as file:
        os.kill(int(file.readline()), signal.SIGINT)
    status, _, log = server.stop(send=False)
    log = [re.sub(rb"^\S+ \S+ \S+ \[\d+\] ", b"", line) for line in log.splitlines()]
    by_chance = (b"checkpoint", b"the database system is starting up")  # the latter to pg_isready, when it asks early
    log = sorted(line for line in log if not any(words in line for words in by_chance))
    shutil.rmtree(data)
    return [(e.status, e.stdout, e.stderr) for e in (initdb, psql, psql_rows)], status, \
        [NUMBERS.sub(b"N", line) for line in log]


def postgres(folder):
    versions = sorted(os.listdir("/usr/lib/postgresql"), key=int)
    binaries = os.path.join("/usr/lib/postgresql", versions[-1], "bin")
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    alone = postgres_session(folder, binaries, "alone", False)
    ours = postgres_session(folder, binaries, "recorded", True)
    faults = [] if alone == ours else [f"{part} instead of {wanted}" for wanted, part in zip(alone, ours) if wanted != part]
    for name in ("initdb", "server", "psql"):
        faults += [f"{name}: {fault}" for fault in recorded(os.path.join(folder, name + ".hwt"), 100)]
    return faults


def git(folder):
    who = "-c user.name=A -c user.email=a@example.org -c init.defaultBranch=main -c gc.auto=0"
    script = f"rm -rf r; git {who} init r && cd r && seq 500 >f && git add f && git {who} commit -m one && " \
             f"seq 600 >f && git {who} diff --stat && git {who} commit -am two && git log --stat && " \
             "git fsck --full && git gc -q && git count-objects && git show nothing"
    return twice(["sh", "-c", script], folder, environment={
        "GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000",
        "GIT_CONFIG_GLOBAL": "/dev/null"})


# name: (what must be installed, check)
CASES = {
    "ls": (["ls"], plain("ls", "-la", "/usr/lib", "/no/such/folder")),
    "descriptors": (["ls"], descriptors),
    "bash": (["bash"], plain("bash", "-c", BASH, scrub=without_pids)),
    "sqlite3": (["sqlite3"], plain("sqlite3", ":memory:", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                                   "WHERE i<20000) SELECT sum(i), max(hex(i)) FROM n; SELECT * FROM nothing;")),
    "jq": (["jq"], plain("jq", "-n", "[range(20000) | {a: ., b: tostring}] | map(.b) | length, error(\"x\")")),
    "python3": (["python3"], plain("/usr/bin/python3", "-c", PYTHON)),
    "git": (["git"], git),
    "perl": (["perl"], plain("perl", "-e", 'my %h = map { $_ => "x" x $_ } 1..500; print scalar(keys %h), "\\n"; '
                             'print `echo sub`; $SIG{ALRM} = sub { print "alarm\\n"; exit 5 }; alarm 1; sleep 9')),
    "gcc": (["gcc"], compiler),
    "cppcheck": (["cppcheck"], plain("cppcheck", "--enable=all", SOURCE)),
    "standard input": (["cat"], standard_input),
    "odd surroundings": (["sh"], surroundings),
    "own LD_PRELOAD": (["sh"], own_preload),
    "terminal": (["python3"], terminal),
    "Ctrl-C": (["sh"], interrupted),
    "redis": (["redis-server", "redis-benchmark"], redis),
    "nginx": (["nginx", "curl"], nginx),
    "postgres": (["psql"], postgres),
}


def main():
    verdicts = Verdicts()
    wanted = [name for name in sys.argv[1:] if not os.path.isdir(name)]
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for name, (programs, check) in CASES.items():
        if wanted and name not in wanted:
            continue
        missing = [program for program in programs if not shutil.which(program)]
        if missing:
            verdicts.skip(f"invisible: {name}", f"no {' '.join(missing)} here")
            continue
        if name == "postgres" and os.geteuid() != 0:
            verdicts.skip(f"invisible: {name}", "needs root to become the user postgres")
            continue
        with Folder() as folder:
            try:
                faults = check(folder)
            except (ValueError, KeyError, TypeError, OSError, subprocess.SubprocessError) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(f"invisible: {name}", faults)
    verdicts.end()


main()
