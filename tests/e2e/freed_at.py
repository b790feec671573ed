#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold where blocks are said to be freed against what the victims do.

    freed_at.py [BUILD]

A sample must give each place its share, whatever the program's rhythm; with --free-stacks all frees must be there.
"""
import json
import os

from lib_record import BUILD, Folder, Verdicts, record, run

VICTIMS = os.path.join(BUILD, "tests", "victims")
SHOW = os.path.join(BUILD, "tests", "show-freed-at")
ROUNDS = 100000
ONE_IN = 64
# What freed_in_turn does in four rounds: frees by place.
TRUTH = {"make_a": {"drop_even": 2, "drop_odd": 2},
         "make_b": {"drop_even": 3, "drop_odd": 1},
         "make_c": {"drop_resized": 1}}
SHARE_MARGIN = 0.05   # of a site's frees, how far a place's share may be off
SAMPLE_MARGIN = 0.05  # of the frees of all sites, how far the sample's size may be off


def sites_of(command, *options):
    """By function that allocates: frees, frees whose stack is known, and those by place."""
    with Folder() as folder:
        trace = os.path.join(folder, "freed_at.hwt")
        ended = record([os.path.join(VICTIMS, command[0]), *command[1:]], trace, options)
        shown = run([SHOW, trace])
    if ended.status or shown.status:
        raise ValueError(f"ended with {ended.status} and {shown.status}: {shown.stderr.decode(errors='replace')}")
    found = {}
    for line in shown.stdout.decode().splitlines():
        row = json.loads(line)
        site = found.setdefault(row["function"], {"frees": 0, "seen": 0, "places": {}})
        site["frees"] += row["free_count"]
        site["seen"] += row["seen"]
        for function, count in row["freed_at"]:
            site["places"][function] = site["places"].get(function, 0) + count
    return found


def all_are_there():
    found = sites_of(["freed_in_turn", str(ROUNDS)], "--free-stacks")
    for name, places in TRUTH.items():
        expected = {place: n * ROUNDS // 4 for place, n in places.items()}
        if found[name]["places"] != expected:
            yield f"{name} is freed at {found[name]['places']} instead of {expected}"
        if found[name]["seen"] != found[name]["frees"]:
            yield f"{name}: {found[name]['seen']} of {found[name]['frees']} frees seen"


def shares_are_right():
    found = sites_of(["freed_in_turn", str(ROUNDS)])
    for name, places in TRUTH.items():
        seen, of_all = found[name]["seen"], sum(places.values())
        for place, n in places.items():
            share = found[name]["places"].get(place, 0) / max(1, seen)
            if abs(share - n / of_all) > SHARE_MARGIN:
                yield f"{name}: {place} has {share:.3f} instead of {n / of_all:.3f}"
        if set(found[name]["places"]) - set(places):
            yield f"{name} is freed at {found[name]['places']}"
    yield from sample_has_its_size(found)


def sample_has_its_size(found):
    seen, frees = (sum(found[name][key] for name in TRUTH) for key in ("seen", "frees"))
    if abs(seen * ONE_IN / frees - 1) > SAMPLE_MARGIN:
        yield f"{seen} of {frees} frees seen"


def every_thread_has_its_own_sample():
    """Blocks go from one thread to the other, which frees them all."""
    found = sites_of(["hand_over", str(ROUNDS)])["produce"]
    if abs(found["seen"] * ONE_IN / ROUNDS - 1) > SAMPLE_MARGIN or set(found["places"]) != {"consumer"}:
        yield f"{found}"


def all_are_there_where_stamps_are_inverted():
    found = sites_of(["hand_over", str(ROUNDS)], "--free-stacks")["produce"]
    if found["places"] != {"consumer": ROUNDS} or found["seen"] != ROUNDS:
        yield f"{found}"


def the_sample_is_the_same_each_time():
    first, second = (sites_of(["freed_in_turn", "5000"]) for _ in range(2))
    if first != second:
        yield f"{first} and then {second}"


def none_is_there_without_stacks():
    for options in (("--depth", "0"), ("--depth", "0", "--free-stacks")):
        if any(site["seen"] for site in sites_of(["freed_in_turn", "5000"], *options).values()):
            yield " ".join(options)


CASES = (all_are_there, shares_are_right, every_thread_has_its_own_sample, all_are_there_where_stamps_are_inverted,
         the_sample_is_the_same_each_time, none_is_there_without_stacks)


def main():
    verdicts = Verdicts()
    for case in CASES:
        try:
            faults = list(case())
        except (ValueError, KeyError) as error:
            faults = [repr(error)]
        verdicts.say("freed_at: " + case.__name__.replace("_", " "), faults)
    verdicts.end()


main()
