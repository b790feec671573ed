# SPDX-License-Identifier: MIT
"""Replays a trace of one process by the lines of `heapwise dump`, keeping all there is to keep.

Written for tests/e2e/habits.py: every list is kept whole and counted at the end, the slow way, so that the reader's
figures, which come of passing by once, can be held against it. Traces whose threads' stamps are inverted are
not understood: a release of what is not live counts in `n_odd`.
"""
import json
import subprocess
from collections import Counter, defaultdict

from lib_record import HEAPWISE

ALLOCATIONS = ("malloc", "calloc", "realloc_new", "reallocarray_new", "posix_memalign", "aligned_alloc", "memalign",
               "valloc", "pvalloc", "mallocx")
ALIGNED = ALLOCATIONS[4:9]
RELEASES = ("free", "free_sized", "free_aligned_sized", "cfree", "dallocx", "sdallocx")
PAGE_BYTES = 4096
BURST_BLOCKS, EIGHTHS, FLEETING_BYTES = 32, 8, 65536


def dump(trace):
    """All records in the order of time: those of a stream that have no stamp go with the one before them."""
    lines = subprocess.run([HEAPWISE, "dump", trace], stdout=subprocess.PIPE, check=True).stdout.splitlines()
    latest, records = defaultdict(int), []
    for n, line in enumerate(lines):
        record = json.loads(line)
        stream = record.get("stream", 0)
        if record["record"] not in ("node", "tree_reset"):
            latest[stream] = record.get("t", latest[stream])
        records.append((latest[stream], stream, n, record))
    return [record for *_, record in sorted(records, key=lambda item: item[:3])]


class Block:
    def __init__(self, site, size, born, thread):
        self.site, self.size, self.born, self.thread, self.steps = site, size, born, thread, 0
        self.is_live = True


class Thread:
    def __init__(self):
        self.freed = []      # since it last allocated: blocks and when
        self.order = 0       # of that row of frees among all threads', by its second one
        self.last = None     # the block it allocated last, unless that took another one's place
        self.resized = None  # address and block of a resize


class Site:
    def __init__(self):
        self.calls, self.times, self.live_counts, self.alignments = Counter(), [], [], []
        self.n_live, self.n_elsewhere = 0, 0
        self.bursts, self.steps, self.chains, self.lives = [], [], [], []
        self.leaks = []


class Replay:
    def __init__(self, trace):
        self.sites, self.threads, self.live = defaultdict(Site), defaultdict(Thread), {}
        self.streams, self.nodes, self.modules = {}, defaultdict(dict), []
        self.clocks, self.end, self.n_odd, self.n_runs = [], 0, 0, 0
        for record in dump(trace):
            self.take(record)
        for thread in self.threads.values():
            self.end_run(thread)
        for block in self.live.values():
            self.sites[block.site].leaks.append(block)
            self.end_chain(block)

    def take(self, record):
        name = record["record"]
        if name in ALLOCATIONS:
            self.allocate(record)
        elif name in RELEASES:
            self.release(record)
        elif hasattr(self, "on_" + name):
            getattr(self, "on_" + name)(record)

    # ---- where and when ----

    def on_clock(self, record):
        self.clocks.append((record["t"], record["monotonic_ns"]))

    def on_process_end(self, record):
        self.end = record["t"]

    def on_stream(self, record):
        self.streams[record["stream"]] = record["tid"]

    def on_module(self, record):
        self.modules.append((int(record["start"], 0), int(record["end"], 0), int(record["bias"], 0), record["path"]))

    def on_node(self, record):
        address = int(record["return_address"], 0) - 1
        place = next(([path, address - bias] for start, end, bias, path in reversed(self.modules)
                      if start <= address < end), ["", address])
        outer = self.nodes[record["stream"]].get(record["parent"], ())
        self.nodes[record["stream"]][record["id"]] = (tuple(place),) + outer

    def on_tree_reset(self, record):
        self.nodes[record["stream"]].clear()

    def where(self, record):
        return self.nodes[record["stream"]].get(record["stack"], ())

    def thread_of(self, record):
        return self.threads[self.streams[record["stream"]]]

    def ns_per_tick(self):
        (first, first_ns), (last, last_ns) = self.clocks[0], self.clocks[-1]
        return (last_ns - first_ns) / (last - first)

    # ---- what happens to blocks ----

    def add(self, record, block):
        site = self.sites[block.site]
        site.n_live += 1
        site.calls[record["record"]] += 1
        site.times.append(record["t"])
        site.live_counts.append(site.n_live)
        alignment = PAGE_BYTES if record["record"] in ("valloc", "pvalloc") else record.get("alignment", 0)
        site.alignments.append(1 << alignment.bit_length() >> 1)
        self.live[record["address"]] = block

    def allocate(self, record):
        thread = self.thread_of(record)
        self.end_run(thread)
        thread.last = Block(self.where(record), record["size"], record["t"], thread)
        self.add(record, thread.last)

    def release(self, record):
        block = self.take_out(record["address"])
        if block:
            self.free(block, record["t"], self.thread_of(record))

    def take_out(self, address):
        block = self.live.pop(address, None)
        self.n_odd += not block
        if block:
            block.is_live = False
        return block

    def free(self, block, t, thread):
        site = self.sites[block.site]
        site.n_live -= 1
        site.n_elsewhere += block.thread is not thread
        site.lives.append((block.size, t - block.born))
        thread.freed.append((block, t))
        if len(thread.freed) == 2:
            self.n_runs += 1
            thread.order = self.n_runs
        larger = thread.last
        if larger and larger.is_live and larger.site == block.site and \
                block.size < larger.size <= 4 * block.size + 64:
            thread.last = None
            larger.steps = block.steps + 1
            site.steps.append(block.size)
        else:
            self.end_chain(block)

    def end_chain(self, block):
        if block.steps:
            self.sites[block.site].chains.append((block.size, block.steps))

    def end_run(self, thread):
        for site, blocks in group_by_site(thread.freed).items():
            if len(blocks) >= BURST_BLOCKS:
                self.sites[site].bursts.append((len(blocks), thread.order, blocks))
        thread.freed = []

    def on_realloc_begin(self, record):
        thread = self.thread_of(record)
        self.end_run(thread)
        thread.last = None
        thread.resized = record["address"], self.take_out(record["address"])

    def on_realloc_end(self, record):
        thread = self.thread_of(record)
        self.end_run(thread)
        address, old = thread.resized
        block = Block(self.where(record), record["size"], record["t"], thread)
        if old:
            self.sites[old.site].n_live -= 1
            block.born, block.steps = old.born, old.steps + (block.size > old.size)
            if block.size > old.size:
                self.sites[block.site].steps.append(old.size if record["address"] != address else 0)
        self.add(record, block)

    def on_realloc_fail(self, record):
        address, old = self.thread_of(record).resized
        if old:
            old.is_live, self.live[address] = True, old

    def on_realloc_freed(self, record):
        old = self.thread_of(record).resized[1]
        if old:
            self.free(old, record["t"], self.thread_of(record))


def group_by_site(freed):
    groups = defaultdict(list)
    for block, t in freed:
        groups[block.site].append((block, t))
    return groups
