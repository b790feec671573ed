# SPDX-License-Identifier: MIT
"""What was measured of one workload under one tool, and the arithmetic on it."""
import statistics


def median(values):
    return statistics.median(values) if values else None


class Figures:
    """`parts` are the pairs of malloc and free, or the calls, of a run where a workload is told per one of them, else
    None."""

    def __init__(self, parts=None):
        self.parts = parts
        self.seconds, self.report_seconds = [], []
        self.failure, self.peak_bytes = None, None
        self.trace_bytes, self.events, self.lost = None, 0, 0
        self.report_failure = None

    def add(self, seconds, outcome):
        self.failure = outcome.failure
        if not outcome.failure and seconds is not None:
            self.seconds.append(seconds)

    def add_report(self, outcome):
        self.report_failure = outcome.failure
        if not outcome.failure:
            self.report_seconds.append(outcome.seconds)

    def add_trace(self, n_bytes, totals):
        """Of the last run; what any run lost counts."""
        self.trace_bytes, self.events = n_bytes, totals[0]
        self.lost = self.lost + totals[1] if isinstance(totals[1], int) and isinstance(self.lost, int) else totals[1]

    def value(self, fixed):
        """Seconds of a run, or of one part without the tool's fixed cost; None where there is none,
        or where it drowns in the fixed cost."""
        seconds = median(self.seconds)
        if seconds is None or not self.parts:
            return seconds
        beyond = seconds - (fixed.value(None) or 0 if fixed else 0)
        return beyond / self.parts if beyond > 0 else None

    def report_value(self):
        """Seconds of a report, or of the share of it that one part takes."""
        seconds = median(self.report_seconds)
        return seconds / self.parts if seconds is not None and self.parts else seconds

    def bytes_per_event(self):
        return self.trace_bytes / self.events if self.trace_bytes and self.events else None


def value_of(figures, row, tool):
    """The value of a cell: fixed costs are those of `true` under the same tool."""
    cell = figures.get(row, {}).get(tool)
    return cell.value(figures.get("true", {}).get(tool)) if cell else None


def added(figures, row, tool):
    """What a tool adds to the native value, or None."""
    value, native = value_of(figures, row, tool), value_of(figures, row, "native")
    return value - native if value is not None and native is not None else None


def added_ratio(figures, row, ours="heapwise", theirs="heaptrack"):
    """Our added cost over theirs, or None where one is missing or theirs is nothing."""
    mine, other = added(figures, row, ours), added(figures, row, theirs)
    return mine / other if mine is not None and other is not None and other > 0 else None


def times_native(figures, row, tool="heapwise"):
    value, native = value_of(figures, row, tool), value_of(figures, row, "native")
    return value / native if value is not None and native else None
