# SPDX-License-Identifier: MIT
"""A redis-server under a tool, asked by a redis-benchmark that runs natively beside it."""
import csv
import io
import socket
import subprocess
import time

from runs import Outcome, Running, end

START_SECONDS = 30
# Sixteen requests in flight per connection: the network's share is small, the server's large.
PIPELINE = "16"
KEYS = "100000"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def answers(port):
    ping = subprocess.run(["redis-cli", "-p", port, "ping"], capture_output=True, text=True, timeout=10)
    return "PONG" in ping.stdout


def wait_until_it_answers(server, port):
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if time.monotonic() > deadline or server.guard.failure:
            return False
        time.sleep(0.05)
    return True


def seconds_per_request(table):
    """By request, from `redis-benchmark --csv`: "test","rps",..."""
    rows = csv.DictReader(io.StringIO(table))
    return {row["test"]: 1 / float(row["rps"]) for row in rows}


def serve(tool, n_requests, folder, limit_seconds, sampled=False):
    """Returns the server's outcome, and seconds per request by request ("SET", "GET"), {} where it failed."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no",
               "--daemonize", "no", "--dir", folder]
    server = Running(tool.command(command, folder), tool.variables(folder), folder, limit_seconds, sampled)
    found = {}
    try:
        if wait_until_it_answers(server, port):
            asked = subprocess.run(["redis-benchmark", "-p", port, "-t", "set,get", "-n", n_requests, "-P", PIPELINE,
                                    "-r", KEYS, "--csv"], capture_output=True, text=True, timeout=limit_seconds)
            found = seconds_per_request(asked.stdout)
            subprocess.run(["redis-cli", "-p", port, "shutdown", "nosave"], capture_output=True, timeout=30)
    except (subprocess.TimeoutExpired, KeyError, ValueError, ZeroDivisionError):
        end(server.child.pid)
    if not found:
        end(server.child.pid)
    outcome = server.ended()
    if not found and not outcome.failure:
        outcome.failure = "does not answer"
    return outcome, found
