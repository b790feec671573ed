#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs in examples/ have a known answer, and the readme's commands run as printed.

    examples.py [BUILD]
"""
import collections
import os
import re

from lib_record import HEAPWISE, ROOT, Folder, Verdicts, record, report, run, site_metric


def words(folder):
    program, text = os.path.join(folder, "words"), os.path.join(ROOT, "CONTRIBUTING.md")
    built = run(["gcc", "-g", "-O0", "-o", program, os.path.join(ROOT, "examples", "words.c")])
    if built.status != 0:
        return [built.stderr[-200:]]
    with open(text, "rb") as file:
        counts = collections.Counter(word.lower() for word in file.read().split())
    total = sum(counts.values())
    trace = os.path.join(folder, "words.hwt")
    ended = record([program, text], trace)
    found = report(trace)
    wanted = {("copy_lower", "alloc_count"): total,
              ("copy_lower", "alloc_bytes"): sum((len(word) + 1) * n for word, n in counts.items()),
              ("copy_lower", "free_count"): total - len(counts),
              ("copy_lower", "temporary_count"): total - len(counts),
              ("copy_lower", "leaked_count"): len(counts),
              ("count_word", "leaked_count"): 2 * len(counts)}
    faults = [f"{place} {metric}: {site_metric(found, place, metric)} instead of {value}"
              for (place, metric), value in wanted.items() if site_metric(found, place, metric) != value]
    site = max(found["call_sites"], key=lambda row: row["alloc_count"])
    if site["function"] != "copy_lower" or os.path.basename(site["file"] or "") != "words.c" or not site["line"]:
        faults.append(f"the busiest place is {site['function']} {site['file']}:{site['line']}")
    return faults + ([] if ended.stdout == b"%d words\n" % total else [ended.stdout])


def readme(folder):
    """Each line of the readme's blocks about its first program, with the build folder of these tests in place of build/."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        blocks = re.findall(r"```sh\n(.*?)```", file.read(), re.DOTALL)
    lines = "".join(block for block in blocks if "build/words" in block).strip().splitlines()
    faults = []
    for line in lines:
        line = line.replace("build/heapwise", HEAPWISE).replace("build/", folder + "/")
        ended = run(["sh", "-c", line], folder=ROOT)
        if ended.status != 0:
            faults.append(f"{line}: {ended.status} {ended.stderr[-200:]}")
    return faults if b"copy_lower" in ended.stdout else faults + ["the report does not name copy_lower"]


def main():
    verdicts = Verdicts()
    for name, check in {"words.c": words, "the readme's commands": readme}.items():
        with Folder() as folder:
            try:
                faults = check(folder)
            except (ValueError, KeyError, TypeError, OSError, StopIteration) as error:
                faults = [f"{type(error).__name__} {error}"]
            verdicts.say(f"examples: {name}", faults)
    verdicts.end()


main()
