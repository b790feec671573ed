#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line: exit codes, messages, outputs.

    cli.py BUILD

Records one small program and asks for reports in every way a user might get right or wrong.
"""
import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
HEAPWISE = os.path.join(BUILD, "heapwise")
PLAIN = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}


def run(*arguments, **options):
    options.setdefault("env", dict(PLAIN, LC_ALL="C.UTF-8"))
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([HEAPWISE, *arguments], capture_output="stdout" not in options,
                          timeout=60, **options)


def say(name, mistake):
    print(f"not ok cli: {name}: {mistake}" if mistake else f"ok cli: {name}", flush=True)


def one_line(error, start):
    lines = error.decode(errors="replace").splitlines()
    if not lines or not lines[0].startswith("heapwise: " + start):
        return f"says {lines!r}"
    return f"says {len(lines)} lines" if len(lines) > 2 else None


# (name, arguments, exit code, how the message goes on)
WRONG = [
    ("no command", [], 2, "command line: names no command"),
    ("no command after --", ["--"], 125, "run: no command given"),
    ("unknown option of report", ["report", "--fromat", "json", "T"], 2, "--fromat: unknown option; did you mean --format?"),
    ("unknown option of run", ["run", "--quite", "true"], 125, "--quite: unknown option; did you mean --quiet?"),
    ("unknown option of heapwise", ["--vers"], 2, "--vers: unknown option; did you mean --version?"),
    ("unknown format", ["report", "--format", "jsn", "T"], 2, "--format: unknown value 'jsn'; did you mean json?"),
    ("html is not built", ["report", "--format", "html", "T"], 2, "--format: unknown value 'html'"),
    ("unknown metric", ["report", "--sort", "slak_bytes", "T"], 2, "--sort: unknown metric 'slak_bytes'; did you mean slack_bytes?"),
    ("metric of processes", ["report", "--sort", "events", "T"], 2, "--sort: events is not measured per call site"),
    ("unknown topic", ["explain", "peak_byte"], 2, "peak_byte: unknown topic; did you mean peak_bytes?"),
    ("unknown rule", ["explain", "temporary_strom"], 2, "temporary_strom: unknown topic; did you mean temporary_storm?"),
    ("unknown command in help", ["help", "reprot"], 2, "reprot: no such command; did you mean report?"),
    ("no trace", ["report"], 2, "report: needs a trace file"),
    ("two traces", ["report", "T", "T"], 2, "report: takes one trace file only"),
    ("missing trace", ["report", "missing.hwt"], 2, "missing.hwt: No such file or directory"),
    ("name with control characters", ["report", "a\033[31m\nb"], 2, "a\\x1b[31m\\x0ab: No such file"),
    ("folder as trace", ["dump", "."], 2, ".: Is a directory"),
    ("not a trace", ["report", HEAPWISE], 2, f"{HEAPWISE}: is not a heapwise trace"),
    ("unknown process", ["report", "--process", "77", "T"], 2, "--process: "),
    ("process 0", ["report", "--process", "0", "T"], 2, "--process: no process has such an id"),
    ("no such number", ["report", "--top", "many", "T"], 2, "--top: 'many' is no number"),
    ("trace as output", ["report", "-o", "T", "T"], 2, "T: is the trace itself"),
    ("output nowhere", ["report", "-o", "no/such/folder", "T"], 2, "no/such/folder: No such file"),
    ("unknown format of findings", ["findings", "--format", "srif", "T"], 2, "--format: unknown value 'srif'; did you mean sarif?"),
    ("unknown severity", ["findings", "--min-severity", "severe", "T"], 2, "--min-severity: unknown value 'severe'"),
    ("findings of no trace", ["findings"], 2, "findings: needs a trace file"),
    ("findings without their configuration", ["findings", "--config", "missing.json", "T"], 2, "missing.json: No such file"),
    ("folder as configuration", ["findings", "--config", ".", "T"], 2, ".: Is a directory"),
    ("configuration that is none", ["findings", "--config", "T", "T"], 2, "T: "),
    ("findings below no root", ["findings", "--root", "missing", "T"], 2, "missing: No such file"),
    ("mistyped command", ["reprot", "T"], 127, "reprot: "),
]

RIGHT = [
    ("help", ["help"], b"commands:"), ("help run", ["help", "run"], b"--on-full"),
    ("report --help", ["report", "--help"], b"--sort"), ("dump -h", ["dump", "-h"], b"--format"),
    ("explain --help", ["explain", "--help"], b"TOPIC"), ("help version", ["help", "version"], b"version"),
    ("--version", ["--version"], b"heapwise "), ("explain list", ["explain"], b"temporary_count"),
    ("sort by I/O", ["report", "--sort", "io_read_bytes", "T"], b"HOT I/O CALL SITES"),
    ("explain I/O", ["explain", "hot-io"], b"hot_io: "),
    ("explain rule", ["explain", "al104"], b"When not to act"), ("explain rule by name", ["explain", "temporary-storm"], b"AL104"),
    ("explain scoring", ["explain", "scoring"], b"effort"), ("explain lists rules", ["explain"], b"\nrules:\n"),
    ("explain section", ["explain", "MOST CALLS"], b"most_calls: "),
    ("report", ["report", "T"], b"MOST CALLS"), ("options after the trace", ["report", "T", "--top=1"], b"MOST CALLS"),
    ("report to -", ["report", "-o", "-", "T"], b"MOST CALLS"), ("markdown", ["report", "-fmarkdown", "T"], b"## MOST CALLS"),
    ("findings --help", ["findings", "--help"], b"--min-severity"), ("findings", ["findings", "T"], b"finding"),
    ("findings as json", ["findings", "-fjson", "T"], b'"heapwise-findings/1"'),
    ("dump", ["dump", "T"], b'"record": "header"'),
]


def check_formats(folder):
    documents = {name: run("report", "--format", name, "--top", "0", "T", cwd=folder).stdout for name in ("json", "csv")}
    document = json.loads(documents["json"])
    rows = list(csv.DictReader(io.StringIO(documents["csv"].decode(), newline="")))
    total = next(row for row in rows if row["section"] == "totals")
    sites = [row for row in rows if row["section"] == "call_site"]
    say("json and csv agree", None if int(total["alloc_count"]) == document["totals"]["alloc_count"]
        and len(sites) == len(document["call_sites"]) else "they differ")
    summed = sum(site["alloc_count"] for site in document["call_sites"])
    say("call sites sum to the totals", None if summed == document["totals"]["alloc_count"]
        else f"{summed} of {document['totals']['alloc_count']}")
    lasted = document["processes"][0]["totals"]["duration_seconds"]
    say("the command lasted no longer than the run", None if 0 < lasted <= document["run"]["duration_seconds"] + 0.1
        else f"{lasted} s of {document['run']['duration_seconds']} s")
    with open(os.path.join(folder, "T"), "rb") as trace:
        again = run("report", "--format", "json", "--top", "0", "-", cwd=folder, stdin=trace)
    piped = json.loads(again.stdout)
    say("standard input is the same", None if piped["call_sites"] == document["call_sites"] else "it differs")
    lines = run("dump", "T", cwd=folder).stdout.splitlines()
    kinds = {json.loads(line)["record"] for line in lines}
    say("dump is JSON per line", None if {"header", "run", "end"} <= kinds else f"holds {sorted(kinds)}")


def check_outputs(folder):
    wide = run("report", "T", cwd=folder, env=dict(PLAIN, LC_ALL="C", COLUMNS="70")).stdout
    say("C locale is ASCII", None if wide.isascii() else "it is not")
    say("no colour but on a terminal", None if b"\033" not in wide else "there is")
    say("-o writes the file", None if run("report", "-o", "out", "T", cwd=folder).returncode == 0
        and os.path.getsize(os.path.join(folder, "out")) > 500 else "it does not")
    say("nothing else is left", None if sorted(os.listdir(folder)) == ["T", "out"] else str(os.listdir(folder)))
    with open("/dev/full", "wb") as full:
        for command in (["report", "T"], ["report", "--format=json", "T"], ["findings", "T"],
                        ["findings", "--format=sarif", "T"], ["dump", "T"], ["explain"], ["help"],
                        ["help", "run"]):
            done = run(*command, cwd=folder, stdout=full, stderr=subprocess.PIPE)
            say(f"full disk: {' '.join(command)}", one_line(done.stderr, "standard output: No space left")
                if done.returncode == 2 else f"status {done.returncode}")


def on_terminal(folder, columns, **environment):
    """What a report looks like on a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    done = subprocess.Popen([HEAPWISE, "report", "T"], cwd=folder, stdout=slave, stdin=subprocess.DEVNULL,
                            env=dict(PLAIN, TERM="xterm", LC_ALL="C.UTF-8", **environment))
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    done.wait()
    return text.decode()


def check_terminal(folder):
    coloured, plain = on_terminal(folder, 90), on_terminal(folder, 90, NO_COLOR="1")
    say("colour on a terminal", None if "\033[1m" in coloured else "none")
    say("NO_COLOR", None if "\033" not in plain else "coloured all the same")
    stripped = re.sub("\033\\[[0-9;]*m", "", coloured)
    say("colour changes nothing else", None if stripped == plain else "it does")
    widest = max(len(line) for line in plain.splitlines())
    say("width of the terminal", None if 60 < widest <= 90 else f"{widest} columns")
    say("trees in UTF-8", None if "\u2514\u2500 " in plain else "there are none")


def check_run_report(folder):
    done = run("run", "-q", "--report=json", "-o", "T2", "--", "true", cwd=folder)
    os.unlink(os.path.join(folder, "T2"))
    fine = done.returncode == 0 and json.loads(done.stdout)["run"]["command"] == ["true"]
    say("run --report=json", None if fine else f"status {done.returncode}: {done.stderr!r}")


def busiest_site(folder, *options):
    churn = os.path.join(BUILD, "bench", "churn")
    done = run("run", "-q", "-o", "T3", *options, "--", churn, "6400", "3", "1", cwd=folder)
    report = run("report", "--format", "json", "T3", cwd=folder)
    return json.loads(report.stdout)["call_sites"][0] if done.returncode == 0 else None


def check_latency(folder):
    """One call in 64, the same ones each time; none with --no-latency."""
    first, second, none = (busiest_site(folder, *options) for options in ((), (), ("--no-latency",)))
    timed = [site[name]["timed"] for site in (first, second) for name in ("alloc_call_ns", "free_call_ns")]
    fine = timed[:2] == timed[2:] and 150 <= sum(timed[:2]) <= 250 and first["alloc_call_ns"]["max"] > 0
    say("the allocator is timed", None if fine else f"{timed} of 6400 allocations and frees")
    absent = none["alloc_call_ns"] is None and none["free_call_ns"] is None
    say("run --no-latency", None if absent else f"{none['alloc_call_ns']}")


def check_no_stacks(folder):
    site = busiest_site(folder, "--depth", "0")
    fine = site["alloc_count"] >= 6400 and site["stack"] == []
    say("run --depth 0", None if fine else f"{site['alloc_count']} allocations, {site['stack']}")


def written(folder, name):
    """A report of dd, which writes 500 pieces of 64 bytes to a file of that name and syncs it."""
    done = run("run", "-q", "-o", "T4", "--", "dd", "if=/dev/zero", b"of=" + name, "bs=64", "count=500", "conv=fsync",
               cwd=folder)
    if done.returncode:
        raise SystemExit(f"not ok cli: record dd: {done.stderr!r}")
    return json.loads(run("report", "--format", "json", "--top", "0", "T4", cwd=folder).stdout)


def check_io(folder):
    """What dd did, in every format; the file's name is one that no terminal should see."""
    name = b"out\033[31m\n|<b>\xff"
    document = written(folder, name)
    shown = os.path.realpath(folder) + "/out\033[31m\n|<b>\\xff"
    file = next((file for file in document["files"] if file["path"] == shown), None)
    say("a file's figures", None if file and (file["write_calls"], file["write_bytes"], file["fsyncs"]) == (500, 32000, 1)
        else f"{file} of {[file['path'] for file in document['files']]}")
    site = next((site for site in document["io_sites"] if site["path"] == shown and site["op"] == "write"), None)
    say("an I/O site's figures", None if site and (site["calls"], site["bytes"], site["layer"]) == (500, 32000, "syscall")
        else f"{site}")
    path = os.path.join(folder, "document")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(document, out)
    schema = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "report_schema.py")
    say("the document with I/O", subprocess.run([sys.executable, schema, path], capture_output=True, text=True,
                                                check=False).stdout.strip())
    rows = list(csv.DictReader(io.StringIO(run("report", "--format", "csv", "--top", "0", "T4", cwd=folder).stdout.decode(),
                                           newline="")))
    summed = sum(int(row["io_write_bytes"]) for row in rows if row["section"] == "io_site")
    say("I/O sites of csv sum to the totals", None if summed == document["totals"]["io_write_bytes"]
        else f"{summed} of {document['totals']['io_write_bytes']}")
    text, page = (run("report", "--format", form, "--sort", "io_write_bytes", "T4", cwd=folder).stdout
                  for form in ("text", "markdown"))
    for title in (b"HOT I/O CALL SITES", b"FILES", b"SLOWEST CALLS", b"FLUSHES AND SYNCS", b"BLOCKING TIME"):
        say(f"section {title.decode()}", None if b"\n" + title in text and b"\n## " + title in page else "is missing")
    say("names of files are harmless", None if b"\033" not in text + page and b"<b>" not in page else "they are not")


def check_no_io(folder):
    run("run", "-q", "--no-io", "-o", "T5", "--", "ls", "/", cwd=folder)
    document = json.loads(run("report", "--format", "json", "T5", cwd=folder).stdout)
    known = [key for key in ("io_calls", "io_seconds", "open_count") if document["totals"][key] is not None]
    say("run --no-io", None if not known and not document["files"] else f"{known}, {document['files']}")
    text = run("report", "T5", cwd=folder).stdout
    say("no sections without I/O", None if b"\nFILES" not in text and b"\nreads" not in text else "there are")


def check_closed_pipe(folder):
    for ignored in (False, True):
        reader, writer = os.pipe()
        os.close(reader)
        handler = signal.SIG_IGN if ignored else signal.SIG_DFL
        for command in (["dump", "T"], ["run", "-q", "--report", "-o", "T2", "--", "true"]):
            done = run(*command, cwd=folder, stdout=writer, stderr=subprocess.PIPE,
                       preexec_fn=lambda: signal.signal(signal.SIGPIPE, handler))
            silent = done.stderr == b"" and done.returncode in (141, -signal.SIGPIPE)
            say(f"closed pipe to {command[0]}, SIGPIPE {'ignored' if ignored else 'default'}",
                None if silent else f"status {done.returncode}, {done.stderr!r}")
        os.close(writer)


def check_cuts(folder):
    with open(os.path.join(folder, "T"), "rb") as trace:
        whole = trace.read()
    for part in (1, 10, 100, len(whole) // 2, len(whole) - 1):
        done = run("report", "--format=json", "-", cwd=folder, input=whole[:part], stdin=None)
        fine = done.returncode == 2 or (done.returncode == 0 and json.loads(done.stdout)["run"]["truncated"])
        say(f"trace cut at {part * 100 // len(whole)} %", None if fine else f"status {done.returncode}: {done.stderr!r}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        done = run("run", "-q", "-o", "T", "--", "ls", "/", cwd=folder)
        say("record", None if done.returncode == 0 else f"status {done.returncode}: {done.stderr!r}")
        if done.returncode:
            return
        for name, arguments, status, message in WRONG:
            done = run(*arguments, cwd=folder)
            say(name, one_line(done.stderr, message) if done.returncode == status and not done.stdout
                else f"status {done.returncode}, {done.stderr!r}")
        for name, arguments, part in RIGHT:
            done = run(*arguments, cwd=folder)
            say(name, None if done.returncode == 0 and part in done.stdout and not done.stderr
                else f"status {done.returncode}, {done.stderr!r}")
        check_formats(folder)
        check_outputs(folder)
        check_terminal(folder)
        check_run_report(folder)
        check_latency(folder)
        check_no_stacks(folder)
        check_io(folder)
        check_no_io(folder)
        check_closed_pipe(folder)
        check_cuts(folder)


main()
