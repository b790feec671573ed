#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the unit tests of a build folder and print one line per case.

    run_units.py BUILD [SUITE]

Lines are `ok TEST: CASE`, `not ok TEST: CASE` or `skip TEST: CASE`, the shape that tests/run.sh counts. A test
that dies or overruns its time gives one failing line of its own, so that no crash goes uncounted.
The output of a test with failures follows it, indented.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

CASE = re.compile(r"^(ok|not ok) \d+ - (.*)$")
SKIP = re.compile(r"\s*# SKIP", re.IGNORECASE)


def tests_of(build, suite):
    listing = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, check=True)
    return [test for test in json.loads(listing.stdout)
            if any(name.split(":")[-1] == suite for name in test["suite"])]


def run(test, prefix, build):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **test["env"])
    try:
        done = subprocess.run(prefix + test["cmd"], env=environment, cwd=test["workdir"] or build,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=test["timeout"] * 4)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, output = "over time", late.stdout or b""
    text = output.decode(errors="replace")
    lines, failed = [], False
    for line in text.splitlines():
        match = CASE.match(line)
        if not match:
            continue
        verdict, case = match.groups()
        if SKIP.search(case):
            verdict, case = "skip", SKIP.sub("", case)
        failed = failed or verdict == "not ok"
        lines.append(f"{verdict} {test['name']}: {case}")
    if status != 0 and not failed:
        lines.append(f"not ok {test['name']}: ended with status {status}")
        failed = True
    if not lines:
        lines.append(f"not ok {test['name']}: ran no case")
    if failed:
        lines += ["    " + line for line in text.splitlines()[-60:]]
    return "\n".join(lines)


def main():
    build = sys.argv[1]
    suite = sys.argv[2] if len(sys.argv) > 2 else "unit"
    # ThreadSanitizer's shadow does not fit every randomised layout.
    prefix = ["setarch", "-R"] if suite == "threads" else []
    tests = tests_of(build, suite)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for output in pool.map(lambda test: run(test, prefix, build), tests):
            print(output, flush=True)


main()
