#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what findings predict, and what a replay of them measures, against what the change saves: on the fixtures and
their corrected twins.

    savings.py [BUILD] [PROGRAM...]

Records each bad program and takes the seconds that its findings would save, and those that a replay with the suggestions
in place saves (findings --prove); then runs it and its twin in turn, without a recorder, and takes the difference of
their medians: of the elapsed time where a finding is about waiting, of the processor's else, which other programs
disturb less. Prints a Markdown table; exit status 1 when fewer than six predictions are within a factor of two, or fewer
than six replays within 1.3.
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
ROUNDS = 41
REPLAYS = "15"
WAITING = ("io_wait", "io_durability")
LEAST_SECONDS = 0.0003  # a smaller difference drowns in the start of the programs
CLOSE, CLOSER, WANTED = 2, 1.3, 6


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


def replayed(finding):
    """Seconds that the replay of a finding saved; None where it was not tried."""
    measured = finding["opportunity"]["measured"]
    return measured and measured["seconds_before"] - measured["seconds_after"]


def predict(name, folder):
    """The rule of the first finding, whether it is about waiting, the seconds of all, and what replays say of them."""
    trace = os.path.join(folder, "trace.hwt")
    subprocess.run([HEAPWISE, "run", "--quiet", "-o", trace, "--", os.path.join(FIXTURES, f"{name}_bad"), folder],
                   stdout=subprocess.DEVNULL, check=True, timeout=60)
    said = subprocess.run([HEAPWISE, "findings", "--format", "json", "--top", "0", "--prove", "--runs", REPLAYS, trace],
                          capture_output=True, check=True)
    found = json.loads(said.stdout)["hotspots"]
    if not found:
        return "", False, 0, None
    seconds = sum(finding["opportunity"]["saves"]["seconds"] or 0 for finding in found)
    trials = [saved for saved in map(replayed, found) if saved is not None]
    return found[0]["rule"], found[0]["category"] in WAITING, seconds, sum(trials) if trials else None


def times(part, whole):
    """By what factor the one is off the other, at least 1."""
    if part is None or part <= 0 or whole <= 0:
        return float("inf")
    return max(part / whole, whole / part)


def row(name, folder):
    """A line of the table; whether the prediction and the replay are close."""
    rule, waits, seconds, trial = predict(name, folder)
    if seconds < LEAST_SECONDS:
        return None, False, False
    saved = measure(name, folder)[0 if waits else 1]
    off, off_trial = times(seconds, saved), times(trial, saved)
    trial_cells = f"{1e3 * trial:.2f} ms | {trial / saved:.2f}" if trial is not None else "| "
    line = (f"| {name} | {rule} | {1e3 * saved:.2f} ms{', elapsed' if waits else ''} | {1e3 * seconds:.2f} ms "
            f"| {seconds / saved:.2f} | {trial_cells} |")
    return line, off <= CLOSE, off_trial <= CLOSER


def main():
    names = sys.argv[2:] or sorted(os.path.basename(path)[:-len("_bad")]
                                   for path in glob.glob(os.path.join(FIXTURES, "*_bad")))
    n_close = n_closer = 0
    print("| program | rule | the twin saves | predicted | predicted ÷ saved | replay saves | replay ÷ saved |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            line, is_close, is_closer = row(name, folder)
            n_close += is_close
            n_closer += is_closer
            if line:
                print(line, flush=True)
    print(f"\n{n_close} predictions within a factor of {CLOSE}, {n_closer} replays within {CLOSER}")
    sys.exit(0 if min(n_close, n_closer) >= min(WANTED, len(names)) else 1)


if __name__ == "__main__":
    main()
