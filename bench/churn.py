#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What recording costs, beside heaptrack: the same churn natively, under heapwise and under heaptrack.

    churn.py [--pairs N] [--rounds N] [BUILD]

Every round runs the three one after the other, so that a change of the machine's speed meets all; medians of
the rounds are printed. Cost is the time that the program itself takes beyond its native time, per malloc and
free of one thread; the recorder's own work runs beside it on the same processors and is paid for there.
heaptrack gets a quarter of the pairs, because it needs so long; its figures are per pair, too.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

DEPTH = 20
HEAPTRACK_SHARE = 4


def seconds_of(command, folder):
    """Nanoseconds that the churn itself printed; `true` prints none."""
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(next(line for line in done.stdout.splitlines() if line.isdigit()))


def wall_of(command, folder):
    script = ["/usr/bin/env", "python3", "-c",
              "import subprocess,sys,time; t=time.monotonic_ns(); subprocess.run(sys.argv[1:], "
              "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print(time.monotonic_ns()-t)"]
    return int(subprocess.run(script + command, cwd=folder, capture_output=True, text=True, check=True).stdout)


def measure(ways, rounds, folder):
    """One nanosecond figure a pair for each way, medians over interleaved rounds."""
    figures = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (command, n_pairs) in ways.items():
            figures[name].append(seconds_of(command, folder) / n_pairs)
    return {name: statistics.median(values) for name, values in figures.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--pairs", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    churn, heapwise = os.path.join(build, "bench", "churn"), os.path.join(build, "heapwise")
    if not shutil.which("heaptrack"):
        sys.exit("churn.py: heaptrack: not installed; apt-get install heaptrack")
    with tempfile.TemporaryDirectory() as folder:
        print("threads   native   heapwise  heaptrack   added: heapwise  heaptrack  ratio   (ns per pair, depth 20)")
        for threads in (1, 4):
            n = options.pairs // threads
            few = n // HEAPTRACK_SHARE
            ways = {
                "native": ([churn, str(n), str(DEPTH), str(threads)], n),
                "heapwise": ([heapwise, "run", "--quiet", "-o", "churn.hwt", "--",
                              churn, str(n), str(DEPTH), str(threads)], n),
                "heaptrack": (["heaptrack", "-o", "churn", churn, str(few), str(DEPTH), str(threads)], few),
            }
            found = measure(ways, options.rounds, folder)
            ours, theirs = found["heapwise"] - found["native"], found["heaptrack"] - found["native"]
            print(f"{threads:7} {found['native']:8.1f} {found['heapwise']:10.1f} {found['heaptrack']:10.1f} "
                  f"{ours:17.1f} {theirs:10.1f} {ours / theirs:6.3f}", flush=True)
        start = {"true": ["true"], "heapwise": [heapwise, "run", "--quiet", "-o", "true.hwt", "--", "true"],
                 "heaptrack": ["heaptrack", "-o", "true", "true"]}
        walls = {name: [] for name in start}
        for _ in range(3 * options.rounds):
            for name, command in start.items():
                walls[name].append(wall_of(command, folder))
        medians = {name: statistics.median(values) / 1e6 for name, values in walls.items()}
        print(f"true {medians['true']:.1f} ms, under heapwise {medians['heapwise']:.1f} ms, "
              f"under heaptrack {medians['heaptrack']:.1f} ms")


if __name__ == "__main__":
    main()
