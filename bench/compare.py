#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What recording costs, beside other profilers, as one table.

Every round runs each workload natively, under heapwise and under each peer, one right after the other, so that a
change of the machine's speed meets all of them; medians over the rounds are shown. The time is that of the whole
command as a user waits for it. A run that takes too long, holds too much memory or dies is shown as such, and not
tried again. `sh bench/compare.sh` installs and builds what this needs.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile

from figures import Figures
from runs import run
from server import serve
from table import as_records, print_table
from tools import PEERS, tools_of
from workloads import FIXED, WORKLOADS

MEMORY_TOOLS = ("native", "heapwise", "heaptrack")
QUICK_DIVISOR = 20
FIXED_RUNS = 4  # of `true` per round: short, and taken off every churn row
REPORT_ROUNDS = 3


def say(text):
    print(text, file=sys.stderr, flush=True)


class Comparison:
    """The plan and what was found so far."""

    def __init__(self, options, tools, left_out, folder):
        self.options, self.tools, self.left_out, self.folder = options, tools, left_out, folder
        self.divisor = QUICK_DIVISOR if options.quick else 1
        self.figures = {}  # by workload row, then by tool
        self.io_rows = []
        self.commands = {}  # by workload and share: inputs are made once, not before every run

    def of(self, row, tool, workload):
        parts = workload.parts_under(tool, self.divisor)
        return self.figures.setdefault(row, {}).setdefault(tool.name, Figures(parts))

    def tools_for(self, workload, index):
        """In the order of the table; those that run once only come in the first round."""
        return [tool for tool in self.tools
                if (tool.repeated or index == 0) and workload.is_for(tool)]

    def tools_of_any(self, workloads, index):
        """Whose fixed costs have to be known."""
        return [tool for tool in self.tools if any(tool in self.tools_for(workload, index) for workload in workloads)]

    def command_of(self, workload, share):
        key = (workload.name, share)
        if key not in self.commands:
            command = workload.prepare(self.folder, self.options.build, self.divisor * share)
            if not workload.server:  # heaptrack takes a shell's own `true` for no program
                command[0] = shutil.which(command[0]) or command[0]
            self.commands[key] = command
        return self.commands[key]

    def execute(self, workload, tool, sampled=False):
        """Run once; returns outcomes by row."""
        command = self.command_of(workload, workload.share_of(tool))
        if workload.server:
            outcome, found = serve(tool, command, self.folder, self.options.timeout, sampled)
            return outcome, {f"{workload.name} {name}": seconds for name, seconds in found.items()}
        environment = dict(workload.environment, **tool.variables(self.folder))
        outcome = run(tool.command(command, self.folder), environment, self.folder, self.options.timeout, sampled)
        return outcome, {workload.name: outcome.cpu_seconds if self.options.cpu else outcome.seconds}

    def rows_of(self, workload):
        return [f"{workload.name} {name}" for name in ("SET", "GET")] if workload.server else [workload.name]

    def measure(self, workload, tool, index):
        cells = [self.of(row, tool, workload) for row in self.rows_of(workload)]
        if cells[0].failure:
            return
        outcome, seconds = self.execute(workload, tool)
        for row, cell in zip(self.rows_of(workload), cells):
            cell.add(seconds.get(row), outcome)
        say(f"  {workload.name} {tool.name}: {outcome.failure or f'{outcome.seconds:.2f} s'}")
        path = tool.trace_path(self.folder)
        if path and tool.report and not outcome.failure:
            if index < REPORT_ROUNDS:
                cells[0].add_report(run([*tool.report, path], {}, self.folder, self.options.timeout))
            if tool.name == "heapwise":
                cells[0].add_trace(os.path.getsize(path), self.totals(path))
        tool.clean(self.folder)

    def totals(self, path):
        """Events and lost events of one of our traces."""
        heapwise = os.path.join(self.options.build, "heapwise")
        ended = run([heapwise, "report", "--format", "json", "--top", "1", path], {}, self.folder,
                    self.options.timeout)
        try:
            coverage = json.loads(ended.stdout)["coverage"]
            return coverage["events"], coverage["lost_events"]
        except (ValueError, KeyError):
            return 0, "unreadable"

    def sample_memory(self, workload):
        for tool in self.tools:
            cells = [self.figures.get(row, {}).get(tool.name) for row in self.rows_of(workload)]
            if tool.name not in MEMORY_TOOLS or not cells[0] or cells[0].failure:
                continue
            outcome, _ = self.execute(workload, tool, sampled=True)
            for cell in cells:
                cell.peak_bytes = None if outcome.failure else outcome.peak_bytes
            tool.clean(self.folder)

    def go(self, workloads):
        self.io_rows = [workload.name for workload in workloads if workload.is_io]
        for index in range(self.options.rounds):
            say(f"round {index + 1} of {self.options.rounds}")
            for _ in range(FIXED_RUNS):
                for tool in self.tools_of_any(workloads, index):
                    self.measure(FIXED, tool, REPORT_ROUNDS)
            for workload in workloads:
                for tool in self.tools_for(workload, index):
                    self.measure(workload, tool, index)
        if self.options.memory:
            say("memory")
            for workload in workloads:
                if not workload.is_io:
                    self.sample_memory(workload)


def parse():
    names = ",".join(workload.name for workload in WORKLOADS)
    parser = argparse.ArgumentParser(prog="compare.sh", description=__doc__.splitlines()[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog=f"workloads: {names}\npeers: {','.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each is run (5)")
    parser.add_argument("--only", default=names, metavar="WORKLOAD,...", help="those alone; a prefix will do")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="PEER,...", help="those alone, or none")
    parser.add_argument("--quick", action="store_true", help="small inputs and one round: a look, not a measurement")
    parser.add_argument("--cpu", action="store_true", help="processor seconds of all processes instead of wall time, "
                        "for a machine that is not idle")
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="leave the runs for memory out")
    parser.add_argument("--timeout", type=float, default=120, metavar="S", help="seconds that any run may take (120)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there, too")
    parser.add_argument("--build", default="build-bench", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    if options.rounds < 1:
        parser.error("--rounds: must be at least 1")
    options.build = os.path.abspath(options.build)
    return parser, options


def choose_workloads(parser, options):
    """Those asked for that can run here, and why others cannot."""
    chosen, left_out = [], []
    wanted = [name.strip() for name in options.only.split(",") if name.strip()]
    for name in wanted:
        if not any(workload.name.startswith(name) for workload in WORKLOADS):
            parser.error(f"--only {name}: unknown; see --help")
    for workload in WORKLOADS:
        if any(workload.name.startswith(name) for name in wanted):
            why_not = workload.why_not(options.build)
            chosen += [] if why_not else [workload]
            left_out += [f"{workload.name}: left out, {why_not}"] if why_not else []
    return chosen, left_out


def choose_tools(parser, options):
    all_tools = tools_of(options.build)
    wanted = [] if options.peers == "none" else [name.strip() for name in options.peers.split(",")]
    for name in wanted:
        if name not in PEERS:
            parser.error(f"--peers {name}: unknown; there are {', '.join(PEERS)}")
    tools, left_out = [], []
    for tool in all_tools.values():
        if tool.name not in PEERS or tool.name in wanted:
            why_not = tool.why_not()
            tools += [] if why_not else [tool]
            left_out += [f"{tool.name}: left out, {why_not}"] if why_not else []
    return tools, left_out


def main():
    parser, options = parse()
    workloads, missing = choose_workloads(parser, options)
    tools, left_out = choose_tools(parser, options)
    with tempfile.TemporaryDirectory(prefix="heapwise-bench-") as folder:
        comparison = Comparison(options, tools, missing + left_out, folder)
        comparison.go(workloads)
        print_table(comparison)
        if options.json:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(as_records(comparison), file, indent=1)


if __name__ == "__main__":
    main()
