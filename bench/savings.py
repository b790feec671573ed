#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what findings predict against what the change saves, on the fixtures and their corrected twins.

    savings.py [BUILD] [PROGRAM...]

Records each bad program and adds up the seconds that its findings would save; then runs it and its twin in turn, without a
recorder, and takes the difference of their medians: of the elapsed time where a finding is about waiting, of the
processor's else, which other programs disturb less. Prints a Markdown table; exit status 1 when fewer than six
predictions are within a factor of two.
"""
import glob
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
HEAPWISE = os.path.join(BUILD, "heapwise")
FIXTURES = os.path.join(BUILD, "tests", "fixtures")
ROUNDS = 11
WAITING = ("io_wait", "io_durability")
LEAST_SECONDS = 0.0005  # a smaller difference drowns in the start of the programs


def run_once(program, folder):
    """Seconds: elapsed, and of the processor."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([program, folder], stdout=subprocess.DEVNULL, check=True, timeout=60)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(name, folder):
    """Medians of what the twin takes less: elapsed, and of the processor."""
    rounds = [[run_once(os.path.join(FIXTURES, f"{name}_{twin}"), folder) for twin in ("bad", "fixed")]
              for _ in range(ROUNDS)]
    return [statistics.median(bad[i] for bad, _ in rounds) - statistics.median(fixed[i] for _, fixed in rounds)
            for i in (0, 1)]


def predict(name, folder):
    """The rule of the first finding, whether it is about waiting, and the seconds of all."""
    trace = os.path.join(folder, "trace.hwt")
    subprocess.run([HEAPWISE, "run", "--quiet", "-o", trace, "--", os.path.join(FIXTURES, f"{name}_bad"), folder],
                   stdout=subprocess.DEVNULL, check=True, timeout=60)
    said = subprocess.run([HEAPWISE, "findings", "--format", "json", "--top", "0", trace], capture_output=True, check=True)
    found = json.loads(said.stdout)["hotspots"]
    seconds = sum(finding["opportunity"]["saves"]["seconds"] or 0 for finding in found)
    return (found[0]["rule"], found[0]["category"] in WAITING, seconds) if found else ("", False, 0)


def main():
    names = sys.argv[2:] or sorted(os.path.basename(path)[:-len("_bad")]
                                   for path in glob.glob(os.path.join(FIXTURES, "*_bad")))
    n_close = 0
    print("| program | rule | predicted | saved | predicted ÷ saved |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            rule, waits, seconds = predict(name, folder)
            saved = measure(name, folder)[0 if waits else 1]
            if seconds < LEAST_SECONDS:
                continue
            ratio = seconds / saved if saved > 0 else float("inf")
            n_close += 0.5 <= ratio <= 2
            print(f"| {name} | {rule} | {1e3 * seconds:.1f} ms | {1e3 * saved:.1f} ms{', elapsed' if waits else ''} "
                  f"| {ratio:.2f} |", flush=True)
    print(f"\n{n_close} within a factor of two")
    sys.exit(0 if n_close >= 6 else 1)


if __name__ == "__main__":
    main()
