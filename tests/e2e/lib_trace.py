# SPDX-License-Identifier: MIT
"""Reads a trace the slow way: decompress it with zstd(1), take the msgpack objects off one by one.

Knows nothing of the project's own reader, so that it can judge what the collector wrote.
"""
import struct
import subprocess

TAGS = {
    40: "node", 42: "module", 44: "image", 45: "thread", 64: "header", 65: "run", 66: "clock",
    67: "stream", 68: "chunk", 69: "watermark", 70: "rss", 71: "stream_end", 72: "process_end",
    73: "lost", 74: "unattached", 75: "stopped", 80: "string", 81: "object", 82: "symbol", 90: "end",
}

STAMPLESS = (41, "node")  # of a ring's records: the end of all stacks so far, and a part of one


class Cut(Exception):
    """The bytes end inside an object."""


class Unpacker:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise Cut
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def items(self, n):
        return [self.object() for _ in range(n)]

    def pairs(self, n):
        return {self.object(): self.object() for _ in range(n)}

    def text(self, n):
        return self.take(n).decode("utf-8", "surrogateescape")

    def object(self):
        first = self.number("B")
        if first < 0x80:
            return first
        if first >= 0xe0:
            return first - 256
        if first < 0x90:
            return self.pairs(first & 15)
        if first < 0xa0:
            return self.items(first & 15)
        if first < 0xc0:
            return self.text(first & 31)
        simple = {0xc0: None, 0xc2: False, 0xc3: True}
        if first in simple:
            return simple[first]
        numbers = {0xcc: "B", 0xcd: "H", 0xce: "I", 0xcf: "Q", 0xd0: "b", 0xd1: "h", 0xd2: "i",
                   0xd3: "q"}
        if first in numbers:
            return self.number(numbers[first])
        sized = {0xc4: ("B", self.text), 0xc5: ("H", self.text), 0xc6: ("I", self.text),
                 0xd9: ("B", self.text), 0xda: ("H", self.text), 0xdb: ("I", self.text),
                 0xdc: ("H", self.items), 0xdd: ("I", self.items), 0xde: ("H", self.pairs),
                 0xdf: ("I", self.pairs)}
        form, take = sized[first]
        return take(self.number(form))


def decompress(path):
    return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def records(path):
    """All records as lists whose first element is the tag's name, or its number where it has none
    here. Ends quietly where the trace is cut; padding is left out."""
    unpacker = Unpacker(decompress(path))
    while unpacker.at < len(unpacker.data):
        try:
            record = unpacker.object()
        except Cut:
            return
        if record is not None:
            yield [TAGS.get(record[0], record[0])] + record[1:]


def ticks_since(record):
    """How long after the one before it in its ring a record was stamped; None where it has no such stamp."""
    of_a_ring = record[0] < 64 if isinstance(record[0], int) else record[0] in ("image", "thread", "module")
    return record[1] if of_a_ring and record[0] not in STAMPLESS else None


def is_whole(path):
    """The trace ends with its end mark and zstd finds every checksum right."""
    last = None
    for last in records(path):
        pass
    test = subprocess.run(["zstd", "-tq", path], stderr=subprocess.DEVNULL)
    return test.returncode == 0 and last is not None and last[0] == "end"
