# SPDX-License-Identifier: MIT
"""The one table, as Markdown that is readable as plain text, and what must be known to read it."""
import os
import platform

from figures import added, added_ratio, times_native, value_of
from tools import NOTES, PEERS

NOTHING = "–"


def number(value):
    """Three digits that count."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def unit_of(cell, row):
    """What a row counts in, and how many of it make a second."""
    if cell.parts:
        return "ns/pair", 1e9
    return ("µs/request", 1e6) if row.startswith("redis") else ("ms", 1e3)


def time_text(figures, row, tool, scale):
    cell = figures[row].get(tool)
    if not cell:
        return NOTHING
    if cell.failure and not cell.seconds:
        return cell.failure
    return number(None if not cell.seconds else value_of(figures, row, tool) * scale)


def ratio_text(ratio):
    if ratio is None:
        return NOTHING
    return f"{ratio:.3f} (1/{1 / ratio:.1f})" if ratio > 0 else "0"


def times_text(figures, row):
    """How many times the native time; for a server, what it loses of its throughput."""
    texts = []
    for tool in ("heapwise", "heaptrack"):
        times = times_native(figures, row, tool)
        if times is None:
            texts.append(NOTHING)
        else:
            texts.append(f"−{100 - 100 / times:.0f} %" if row.startswith("redis") else f"{number(times)}×")
    return " / ".join(texts)


def memory_text(cells):
    def megabytes(tool):
        cell = cells.get(tool)
        return number(cell.peak_bytes / 1e6 if cell and cell.peak_bytes else None)
    return " / ".join(megabytes(tool) for tool in ("native", "heapwise", "heaptrack"))


def report_text(cells):
    """Ours and theirs, each as a time or as why there is none; the ratio where there are both."""
    scale, unit = (1e9, "ns/pair") if cells["native"].parts else (1e3, "ms")
    found = [cells.get(tool) for tool in ("heapwise", "heaptrack")]
    values = [cell.report_value() if cell else None for cell in found]
    texts = [number(value * scale) if value else (cell and cell.report_failure) or NOTHING
             for value, cell in zip(values, found)]
    if not any(values):
        return NOTHING
    return " / ".join(texts) + f" {unit}" + (f" = {values[0] / values[1]:.2f}" if all(values) else "")


def line_of(comparison, row, others):
    figures, cells = comparison.figures, comparison.figures[row]
    unit, scale = unit_of(cells["native"], row)
    ours = cells.get("heapwise")
    return [row, unit, *(time_text(figures, row, tool, scale) for tool in ("native", "heapwise", *others)),
            times_text(figures, row), ratio_text(added_ratio(figures, row)), memory_text(cells),
            number(ours.bytes_per_event()) if ours else NOTHING, report_text(cells),
            str(ours.lost) if ours and ours.trace_bytes else NOTHING]


def print_markdown(head, lines):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, ["-" * width for width in widths], *lines]:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def print_record_only(figures, rows):
    """How far recording is from its own limit: the whole against the same without stacks."""
    for row in rows:
        if "no stacks" in figures[row] and row != "true":
            ratio = added_ratio(figures, row, "heapwise", "no stacks")
            least = added(figures, row, "no stacks")
            if ratio is not None:
                print(f"- {row}: {number(least * 1e9)} ns added without stacks; with them {ratio:.2f} times that")


def print_trace_means(figures, rows):
    """Bytes an event: the mean over churn's rows, and over the programs'."""
    for kind, is_churn in (("churn", True), ("programs", False)):
        cells = [figures[row]["heapwise"] for row in rows if row != "true" and "heapwise" in figures[row]]
        found = [cell.bytes_per_event() for cell in cells if bool(cell.parts) == is_churn]
        found = [value for value in found if value]
        if found:
            print(f"- trace, mean over {kind}: {number(sum(found) / len(found))} bytes an event")


def print_setting(options):
    clock = "processor time of all processes" if options.cpu else "wall time of the whole command"
    print(f"{cpu_name()}, {os.cpu_count()} processors, Linux {platform.release()}. Medians of {options.rounds} "
          f"interleaved round{'s' if options.rounds > 1 else ''}; {clock}"
          + (", small inputs: a look only." if options.quick else "."))


def print_allocation_notes(comparison, rows):
    names = [tool.name for tool in comparison.tools]
    print("- churn THREADSxDEPTH: time over the pairs of all threads, after the tool's own fixed cost (row `true`) is "
          "taken off; slower tools run a part of the pairs")
    print("- added: the time beyond the native one, ours over heaptrack's")
    print("- memory: largest sum over the command's processes, recorder included, shared pages once (PSS), each 5 ms of "
          "a run of its own")
    print("- report: `heapwise report` / `heaptrack_print`, text")
    for name in PEERS:
        if name in names:
            print(f"- {name}: {NOTES[name]}")
    print_trace_means(comparison.figures, rows)
    print_record_only(comparison.figures, rows)


def print_io_notes():
    print("- ns per call: time over all calls, after the tool's own fixed cost is taken off; dd reads and writes, open also "
          "closes; fputc makes one system call in 4096 calls, fwrite one in 41\n"
          "- strace -c: a fiftieth of the system calls")


def print_allocation_table(comparison, rows):
    others = [tool.name for tool in comparison.tools
              if tool.name not in ("native", "heapwise", "no stacks") and not tool.is_io]
    head = ["workload", "unit", "native", "heapwise", *others, "× native: ours / heaptrack", "added: ours/heaptrack",
            "peak MB: native / ours / heaptrack", "bytes/event", "report: ours / heaptrack", "lost"]
    print_markdown(head, [line_of(comparison, row, others) for row in rows])
    print()


def io_line_of(figures, row, tools):
    cells = [row, number(value_of(figures, row, "native") and value_of(figures, row, "native") * 1e9)]
    for tool in tools:
        more = added(figures, row, tool)
        cells += [time_text(figures, row, tool, 1e9), NOTHING if more is None else number(more * 1e9)]
    ours = figures[row]["heapwise"]
    return [*cells, number(ours.bytes_per_event()), str(ours.lost)]


def print_io_table(comparison):
    """Nanoseconds per call."""
    tools = [tool.name for tool in comparison.tools if tool.is_io is not False and tool.name != "native"]
    head = ["ns per call", "native"]
    for tool in tools:
        head += [tool, "added"]
    print_markdown([*head, "bytes/event", "lost"],
                   [io_line_of(comparison.figures, row, tools) for row in comparison.io_rows])
    print()


def print_table(comparison):
    rows = [row for row in comparison.figures if row not in comparison.io_rows]
    has_allocation = rows != ["true"]
    if has_allocation:
        print_allocation_table(comparison, rows)
    if comparison.io_rows:
        print_io_table(comparison)
    print_setting(comparison.options)
    if has_allocation:
        print_allocation_notes(comparison, rows)
    if comparison.io_rows:
        print_io_notes()
    for text in comparison.left_out:
        print(f"- {text}")


def as_records(comparison):
    """Everything as plain data, for those who compute on."""
    figures = comparison.figures
    return [{"workload": row, "tool": tool, "parts": cell.parts, "seconds": cell.seconds, "failure": cell.failure,
             "value_seconds": value_of(figures, row, tool), "added_seconds": added(figures, row, tool),
             "report_seconds": cell.report_seconds, "peak_bytes": cell.peak_bytes, "trace_bytes": cell.trace_bytes,
             "events": cell.events, "lost_events": cell.lost}
            for row, cells in figures.items() for tool, cell in cells.items()]
