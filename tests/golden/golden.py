#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Traces kept in the tree: old ones stay readable with the same answer, broken ones do no harm.

    golden.py [BUILD] [--update]

traces/NAME.hwt is reported in every format for which expected/NAME.FORMAT exists and must give just that; --update
writes what is reported now. Each trace is also cut and damaged in many places, and broken/* read as it
is: the answer must be a report or one line of error, in time, and never a signal.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) else \
    os.path.join(HERE, "..", "..", "build-test")
HEAPWISE = os.environ.get("HEAPWISE", os.path.join(BUILD, "heapwise"))
FORMATS = {"json": "json", "txt": "text", "md": "markdown", "csv": "csv"}


def report(trace, form, stdin=None):
    return subprocess.run([HEAPWISE, "report", "--format", form, trace], input=stdin, capture_output=True,
                          timeout=30, env=dict(os.environ, LC_ALL="C.UTF-8", COLUMNS="100"), check=False)


def settled(output, form):
    """Without what differs from one checkout to the next."""
    if form != "json":
        return output.replace(HERE.encode(), b"")
    document = json.loads(output)
    document["tool"] = document["run"]["trace"] = None
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def compare(trace, name):
    path = os.path.join(HERE, "traces", trace)
    for extension, form in FORMATS.items():
        wanted = os.path.join(HERE, "expected", f"{name}.{extension}")
        if not os.path.exists(wanted):
            continue
        done = report(path, form)
        seen = settled(done.stdout, form) if done.returncode == 0 else done.stderr
        if "--update" in sys.argv:
            with open(wanted, "wb") as file:
                file.write(seen)
        with open(wanted, "rb") as file:
            same = file.read() == seen
        print(f"{'ok' if same else 'not ok'} golden: {name}.{extension}" + ("" if same else ": differs"))


def harmless(data):
    """None, or what is wrong with the answer to a damaged trace."""
    try:
        done = report("-", "json", stdin=data)
    except subprocess.TimeoutExpired:
        return "takes too long"
    if done.returncode == 0:
        json.loads(done.stdout)
        return None
    lines = done.stderr.splitlines()
    if done.returncode != 2 or not 1 <= len(lines) <= 2 or not lines[0].startswith(b"heapwise: "):
        return f"status {done.returncode}, {done.stderr[-200:]!r}"
    return None


def damage(data):
    step = max(1, len(data) // 60)
    for at in range(0, len(data), step):
        yield f"cut at {at}", data[:at]
    for at in range(0, len(data), step):
        yield f"byte {at} changed", data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


def main():
    traces = os.path.join(HERE, "traces")
    for trace in sorted(os.listdir(traces) if os.path.isdir(traces) else []):
        name, extension = os.path.splitext(trace)
        if extension != ".hwt":
            continue
        compare(trace, name)
        with open(os.path.join(traces, trace), "rb") as file:
            data = file.read()
        faults = [f"{what}: {fault}" for what, damaged in damage(data) if (fault := harmless(damaged))]
        print(f"not ok golden: damaged {name}: {faults[:3]}" if faults else f"ok golden: damaged {name}")
    broken = os.path.join(HERE, "broken")
    for name in sorted(os.listdir(broken) if os.path.isdir(broken) else []):
        with open(os.path.join(broken, name), "rb") as file:
            fault = harmless(file.read())
        print(f"not ok golden: broken {name}: {fault}" if fault else f"ok golden: broken {name}")


main()
