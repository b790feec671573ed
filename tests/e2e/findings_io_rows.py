# SPDX-License-Identifier: MIT
"""What findings must say of the fixtures of input and output: rows for findings_matrix.py."""
import os
import subprocess
import tempfile

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures")


def buffer(finding):
    return finding["suggestion"]["buffer"]


def saved(finding, what):
    return finding["opportunity"]["saves"][what]


def value(finding):
    return finding["evidence"]["value"]


def advises(finding, words):
    return words in finding["suggestion"]["text"]


def waits_for_a_device():
    """A sync of a file in memory takes no time, and is no finding."""
    kind = subprocess.run(["stat", "--file-system", "--format=%T", tempfile.gettempdir()], capture_output=True, text=True)
    return kind.stdout.strip() not in ("tmpfs", "ramfs")


# Programs that write to a file and read it for their sum make a few calls beside those counted here.
ROWS = [
    {"program": "tiny_write", "rule": "IO201",
     "check": lambda f: buffer(f) == {"bytes": 65536, "calls_before": 40000, "calls_after": 10}
     and 39980 <= saved(f, "io_calls") < 40000},
    {"program": "tiny_read", "rule": "IO202",
     "check": lambda f: buffer(f)["calls_before"] == 40961 and buffer(f)["calls_after"] <= 12},
    {"program": "byte_at_a_time", "rule": "IO203",
     "check": lambda f: buffer(f)["calls_before"] == 65537 and buffer(f)["calls_after"] <= 3},
    {"program": "adjacent_writes", "rule": "IO204",
     "check": lambda f: saved(f, "io_calls") == 8000 and advises(f, "adjacent_writes.c:")},
    {"program": "flush_per_record", "rule": "IO205",
     "check": lambda f: buffer(f)["bytes"] == 4096 and buffer(f)["calls_before"] == 20000
     and 90 <= buffer(f)["calls_after"] <= 100},
    {"program": "unbuffered_stderr", "rule": "IO206",
     "check": lambda f: buffer(f)["calls_before"] == 20000 and 90 <= buffer(f)["calls_after"] <= 100},
    {"program": "seek_and_transfer", "rule": "IO220",
     "check": lambda f: value(f) == 30720 and saved(f, "io_calls") is None and advises(f, "pread")},
    {"program": "random_small_reads", "rule": "IO221",
     "check": lambda f: 9500 <= value(f) <= 10500 and advises(f, "mmap")},
    {"program": "copy_loop", "rule": "IO222", "check": lambda f: value(f) == 1 << 24 and advises(f, "copy_file_range,")},
    # The blocks of one call each are churn to the rules of allocations.
    {"program": "buffer_per_call", "rule": "IO223", "others": ("AL103", "AL104"),
     "check": lambda f: saved(f, "allocations") == 2048},
    {"program": "whole_file_slurp", "rule": "IO224", "others": ("AL122",),
     "check": lambda f: value(f) == 1 << 23 and saved(f, "peak_bytes") == 1 << 23},
    {"program": "reread", "rule": "IO230", "check": lambda f: value(f) == 28 << 20},
    {"program": "reopened_path", "rule": "IO231",
     "check": lambda f: value(f) == 3999 and f["evidence"]["paths"][0].endswith("settings")},
    {"program": "stat_again", "rule": "IO232", "check": lambda f: value(f) == 7999},
    {"program": "request_per_item", "rule": "IO240",
     "check": lambda f: value(f) == 2000 and 0 < saved(f, "io_calls") < 4000},
    {"program": "dry_calls", "rule": "IO241", "check": lambda f: value(f) == 20000 and advises(f, "poll")},
    {"program": "descriptor_leak", "rule": "IO242", "check": lambda f: value(f) == 200},
    # 20 ms, less what a busy machine puts between the thread's last words and its read.
    {"program": "latency_thread_blocked", "rule": "IO243", "config": os.path.join(FIXTURES, "latency_threads.json"),
     "check": lambda f: value(f) >= 0.005 and "\"render\"" in f["title"]},
]
if waits_for_a_device():
    ROWS += [
        {"program": "sync_per_record", "rule": "IO210", "check": lambda f: value(f) == 60},
        {"program": "sync_storm", "rule": "IO211", "check": lambda f: f["evidence"]["count"] == 60},
    ]
