#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ids of findings stay when the program's code does: other addresses, folders, lines, optimization, threads and
places of debug information. Two calls have two ids.

    findings_ids.py [BUILD]

tests/support/ids_work.c and ids_shop.cpp are built in each way with the compiler at hand; without one they are skipped.
"""
import json
import os
import shutil
import subprocess

from lib_record import BUILD, HEAPWISE, ROOT, SECONDS, Folder, Verdicts, run

SUPPORT = os.path.join(ROOT, "tests", "support")
# Allocations of a block that nobody looks at may be left out by compilers, which changes more than names.
FLAGS = ["-g", "-pthread", "-fno-builtin", "-fno-allocation-dce"]
# Compiler, and frames of the user's that have to be the same lines: of several stacks with as many calls, as the first
# program has them, any may be shown.
PROGRAMS = {
    "ids_work.c": (["gcc"], 1),
    "ids_shop.cpp": (["g++", "-std=c++17"], 3),
}
# What a rule asks of times is left out: it is another one in each run.
CONFIG = {"schema": "heapwise-rules/1", "rules": {
    "AL101": {"max_life_percent": 100, "min_percent": 1},
    "AL102": {"min_percent": 1},
    "AL104": {"min_percent": 1},
    "AL110": {"min_percent": 0},
    "AL111": {"min_percent": 0, "min_copied": 1000},
    "AL120": {"enabled": False}, "AL121": {"enabled": False}, "AL122": {"enabled": False},
    **{rule: {"min_saved_percent": 0, "min_saved_ms": 0} for rule in
       ("IO201", "IO202", "IO203", "IO204", "IO205", "IO206", "IO220", "IO221", "IO222", "IO230", "IO231", "IO232")}}}


class Fault(Exception):
    """A step of preparing a case failed."""


def must(command, **how):
    ended = run(command, **how)
    if ended.status != 0:
        raise Fault(f"{command[0]} ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[-300:]}")


def build(folder, source, options=("-O1",), first_line=""):
    """The program built in a folder of its own, from a copy of its source there."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(SUPPORT, source), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(folder, source), "w", encoding="utf-8") as file:
        file.write(first_line + text)
    program = os.path.splitext(source)[0]
    must([*PROGRAMS[source][0], *FLAGS, *options, "-o", program, source], folder=folder)
    return os.path.join(folder, program)


def separate_debug(program):
    """Move debug information into a file beside the program."""
    folder, name = os.path.split(program)
    must(["objcopy", "--only-keep-debug", name, name + ".debug"], folder=folder)
    must(["strip", "--strip-all", name], folder=folder)
    must(["objcopy", "--add-gnu-debuglink=" + name + ".debug", name], folder=folder)
    return program


def found(folder, program, threads=2, launcher=(), trace="a.hwt", work=None):
    """Id to what it is about, of all that is said of a run of the program."""
    work = work or folder
    out, config = os.path.join(folder, "out"), os.path.join(folder, "config.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(CONFIG, file)
    must([HEAPWISE, "run", "--quiet", "--free-stacks", "-o", trace, "--", *launcher, program, out, str(threads)],
         folder=work)
    ended = run([HEAPWISE, "findings", "--format", "json", "--top", "0", "--config", config, trace], folder=work)
    if ended.status != 0:
        raise Fault(f"findings ended with {ended.status}: {ended.stderr.decode(errors='replace').strip()[:300]}")
    hotspots = json.loads(ended.stdout)["hotspots"]
    ids = {spot["id"]: (spot["function"], [frame["line"] for frame in spot["stack"] if frame["user_code"]])
           for spot in hotspots}
    if len(ids) != len(hotspots):
        raise Fault("two findings have one id")
    return ids


def differences(ids, wanted, n_frames, lines_down=0):
    """Ids that one of both lacks, and those that are about other lines."""
    faults = [f"lacks {key} {wanted[key]}" for key in sorted(wanted.keys() - ids.keys())]
    faults += [f"has {key} {ids[key]} besides" for key in sorted(ids.keys() - wanted.keys())]
    for key in sorted(ids.keys() & wanted.keys()):
        lines, were = ids[key][1][:n_frames], wanted[key][1][:n_frames]
        if lines != [line and line + lines_down for line in were]:
            faults.append(f"{key} is {lines}, was {were}")
    return faults


def other_folders(folder, source):
    """Another folder of the source and the program, a working folder that is neither, another name of the trace."""
    program = build(os.path.join(folder, "some", "where else"), source)
    work = os.path.join(folder, "work")
    os.mkdir(work)
    return found(folder, program, trace="another name.hwt", work=work)


# Name: ids in another situation, and how many lines were added.
CASES = {
    "a second time": (lambda folder, source: found(folder, build(folder, source)), 0),
    "without ASLR": (lambda folder, source: found(folder, build(folder, source), launcher=["setarch", "-R"]), 0),
    "other folders": (other_folders, 0),
    "-O0": (lambda folder, source: found(folder, build(folder, source, ["-O0"])), 0),
    "-O2 and a comment": (lambda folder, source: found(folder, build(folder, source, ["-O2"], "/* new */\n")), 1),
    "-O3": (lambda folder, source: found(folder, build(folder, source, ["-O3"])), 0),
    "not position independent": (lambda folder, source: found(folder, build(folder, source, ["-O1", "-no-pie"])), 0),
    "debug information apart": (lambda folder, source: found(folder, separate_debug(build(folder, source))), 0),
    "one thread": (lambda folder, source: found(folder, build(folder, source), threads=1), 0),
    "eight threads": (lambda folder, source: found(folder, build(folder, source), threads=8), 0),
}


def at(ids, function):
    """Ids by line, of a function's findings."""
    return {lines[0]: key for key, (name, lines) in ids.items() if name.split("(")[0].endswith(function)}


def check_siblings(verdicts, ids):
    lines = at(ids, "copy_twice")
    verdicts.say("ids: two lines of one function differ", [] if len(set(lines.values())) == 2 else [str(lines)])
    parts = [{key[6:] for key in at(ids, function).values()} for function in ("copy_twice", "measure")]
    verdicts.say("ids: two functions differ beyond the rule",
                 [] if all(parts) and not parts[0] & parts[1] else [str(parts)])


def can_run(launcher):
    return shutil.which(launcher[0]) and subprocess.run([*launcher, "true"], capture_output=True,
                                                        timeout=SECONDS).returncode == 0


def check_program(verdicts, source):
    with Folder() as folder:
        wanted = found(folder, build(folder, source))
        verdicts.say(f"ids of {source}: there are some", [] if len(wanted) >= 6 else [str(wanted)])
        if source == "ids_work.c":
            check_siblings(verdicts, wanted)
    for name, (make, lines_down) in CASES.items():
        if name == "without ASLR" and not can_run(["setarch", "-R"]):
            verdicts.skip(f"ids of {source}: {name}", "setarch -R is not permitted here")
            continue
        with Folder() as folder:
            try:
                verdicts.say(f"ids of {source}: {name}", differences(make(folder, source), wanted, PROGRAMS[source][1],
                                                                               lines_down))
            except Fault as fault:
                verdicts.say(f"ids of {source}: {name}", [fault])


def main():
    verdicts = Verdicts()
    for source, ((compiler, *_), _) in PROGRAMS.items():
        if not shutil.which(compiler):
            verdicts.skip(f"ids of {source}", f"no {compiler}")
            continue
        try:
            check_program(verdicts, source)
        except Fault as fault:
            verdicts.say(f"ids of {source}", [fault])
    verdicts.end()


if __name__ == "__main__":
    main()
