#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Servers under load with allocations and I/O recorded: nothing lost, and the pattern of their requests in the report.

    io_servers.py [BUILD]

Bounded by requests, not by time: each server answers some thousand over loopback and is told to end.
"""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time

from lib_record import HEAPWISE, Folder, Verdicts, report, run

N_REQUESTS = 3000
START_SECONDS = 20


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise ValueError("the server does not answer")


class Served:
    """A server under `heapwise run` while the block runs; told to end afterwards, killed if it does not."""

    def __init__(self, command, trace, port, folder):
        self.command = [HEAPWISE, "run", "--quiet", "-o", trace, "--", *command]
        self.port, self.folder = port, folder

    def __enter__(self):
        self.child = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.port)
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


def calls_on(found, op, name):
    return sum(site["calls"] for site in found["io_sites"] if site["op"] == op and name in (site["path"] or "socket:"))


def common_faults(found):
    faults = []
    if found["totals"]["lost_events"]:
        faults.append(f"lost_events {found['totals']['lost_events']}")
    if found["run"]["truncated"]:
        faults.append("the trace is truncated")
    if not found["totals"]["alloc_count"]:
        faults.append("no allocations")
    return faults


def redis(folder):
    """Each of 50 clients asks one at a time: a read and a write for each request, at one place each."""
    trace, port = os.path.join(folder, "redis.hwt"), free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
               "--daemonize", "no", "--dir", folder]
    with Served(command, trace, port, folder):
        asked = run(["redis-benchmark", "-p", str(port), "-t", "set,get", "-n", str(N_REQUESTS), "-q"], seconds=60)
    found = report(trace)
    faults = common_faults(found) + ([] if asked.status == 0 else ["redis-benchmark failed"])
    # Every answer is a write of its own; reads may be more, where a client hangs up.
    writes = [site for site in found["io_sites"] if site["op"] == "write" and site["calls"] >= 2 * N_REQUESTS]
    reads = [site for site in found["io_sites"] if site["op"] == "read" and site["calls"] >= 2 * N_REQUESTS]
    if not writes or not reads:
        faults.append(f"no place reads and writes {2 * N_REQUESTS} times: " + ", ".join(
            f"{site['op']} {site['function']} {site['calls']}" for site in found["io_sites"][:6]))
    return faults


CONFIGURATION = """daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{ access_log {folder}/log; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; sendfile on; keepalive_requests 100000;
server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
"""


def nginx(folder):
    """One connection, one file of 5000 bytes over and over: it is sent by sendfile and logged by one write each."""
    trace, port = os.path.join(folder, "nginx.hwt"), free_port()
    with open(os.path.join(folder, "page"), "wb") as file:
        file.write(b"x" * 5000)
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(folder=folder, port=port))
    with Served(["nginx", "-c", os.path.join(folder, "nginx.conf"), "-e", os.path.join(folder, "errors")], trace, port, folder):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(N_REQUESTS):
            client.request("GET", "/page")
            if len(client.getresponse().read()) != 5000:
                return ["a wrong answer"]
        client.close()
    found = report(trace)
    faults = common_faults(found)
    for op, n_bytes in (("sendfile", 5000 * N_REQUESTS), ("write", 1), ("recvfrom", 1)):
        rows = [site for site in found["io_sites"] if site["op"] == op]
        if sum(site["calls"] for site in rows) < N_REQUESTS or sum(site["bytes"] for site in rows) < n_bytes:
            faults.append(f"{op}: {sum(site['calls'] for site in rows)} calls for {N_REQUESTS} requests")
    pages = [row for row in found["files"] if row["path"].endswith("/page")]
    if not pages or pages[0]["opens"] < N_REQUESTS:
        faults.append(f"the page's row: {pages[:1]}")
    return faults


def main():
    verdicts = Verdicts()
    for name, check, needed in (("redis", redis, "redis-server"), ("nginx", nginx, "nginx")):
        if not shutil.which(needed) and not os.path.exists(f"/usr/sbin/{needed}"):
            verdicts.skip(f"io_servers {name}", f"{needed} is not installed")
            continue
        with Folder() as folder:
            try:
                verdicts.say(f"io_servers {name}", check(folder))
            except (ValueError, KeyError, OSError) as error:
                verdicts.say(f"io_servers {name}", [f"{type(error).__name__} {error}"])
    verdicts.end()


if __name__ == "__main__":
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin"
    main()
