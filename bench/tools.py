# SPDX-License-Identifier: MIT
"""The ways to run a program: natively, under heapwise, under each of its peers. One row each in TOOLS."""
import glob
import os
import shutil
import subprocess

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
TCMALLOC = os.path.join(LIBRARIES, "libtcmalloc.so.4")
JEMALLOC = os.path.join(LIBRARIES, "libjemalloc.so.2")


class Tool:
    """`wrap` turns a command into the one to run, with `{prefix}` for the files it writes; `share` is the part of a
    scalable workload that it gets; one that is not `repeated` runs in the first round only. `is_io`: it is for
    workloads of I/O alone; False: for none of them."""

    def __init__(self, name, wrap=(), environment=None, trace=None, report=None, share=1, repeated=True, needs=(),
                 is_io=False):
        self.name, self.wrap, self.environment = name, list(wrap), environment or {}
        self.trace, self.report = trace, report
        self.share, self.repeated, self.needs, self.is_io = share, repeated, needs, is_io

    def command(self, command, folder):
        return [part.replace("{prefix}", self.prefix(folder)) for part in self.wrap] + command

    def variables(self, folder):
        return {key: value.replace("{prefix}", self.prefix(folder)) for key, value in self.environment.items()}

    def prefix(self, folder):
        return os.path.join(folder, self.name.replace(" ", "-"))

    def trace_path(self, folder):
        """The file it wrote, or None."""
        found = sorted(glob.glob(self.trace.replace("{prefix}", self.prefix(folder)))) if self.trace else []
        return found[0] if found else None

    def clean(self, folder):
        for path in glob.glob(self.prefix(folder) + "*"):
            os.remove(path)

    def why_not(self):
        """Why it cannot be used here, or None."""
        for need in self.needs:
            if not os.path.exists(need) and not shutil.which(need):
                return f"no {need} here"
        return None


class Jemalloc(Tool):
    def why_not(self):
        """The profiler is a choice of whoever builds the library."""
        missing = super().why_not()
        if missing:
            return missing
        said = subprocess.run(["true"], env={"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "prof:true"}, capture_output=True,
                              text=True)
        return "the distribution's jemalloc is built without its profiler" if "Invalid conf" in said.stderr else None


def tools_of(build):
    """All tools by name; those without a `why_not` reason can run."""
    heapwise = os.path.join(build, "heapwise")

    def recorder(name, *options, is_io=None):
        return Tool(name, [heapwise, "run", "--quiet", *options, "-o", "{prefix}.hwt", "--"], trace="{prefix}.hwt",
                    report=[heapwise, "report"], needs=[heapwise], is_io=is_io)

    valgrind = ["valgrind", "-q", "--trace-children=no"]
    rows = [
        Tool("native", is_io=None),
        recorder("heapwise"),
        # What recording costs when no stack is taken: the limit of the rest.
        recorder("no stacks", "--depth", "0", is_io=False),
        recorder("--no-io", "--no-io", is_io=True),
        Tool("heaptrack", ["heaptrack", "-o", "{prefix}"], trace="{prefix}.[gz]*", report=["heaptrack_print", "-f"],
             share=4, needs=["heaptrack", "heaptrack_print"]),
        Tool("gperftools", environment={"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "{prefix}"}, share=64, repeated=False,
             needs=[TCMALLOC]),
        Tool("massif", [*valgrind, "--tool=massif", "--massif-out-file={prefix}"], share=32, repeated=False,
             needs=["valgrind"]),
        Tool("dhat", [*valgrind, "--tool=dhat", "--dhat-out-file={prefix}"], share=32, repeated=False,
             needs=["valgrind"]),
        Jemalloc("jemalloc", environment={"LD_PRELOAD": JEMALLOC,
                                          "MALLOC_CONF": "prof:true,prof_final:true,prof_prefix:{prefix}"},
                 needs=[JEMALLOC]),
        Tool("strace -c", ["strace", "-f", "-c", "-o", "{prefix}"], share=50, needs=["strace"], is_io=True),
    ]
    return {tool.name: tool for tool in rows}


PEERS = ("heaptrack", "gperftools", "massif", "dhat", "jemalloc", "strace -c")
NOTES = {
    "heaptrack": "every allocation",
    "gperftools": "every allocation, another allocator; one run",
    "massif": "every allocation, in an emulator; one run",
    "dhat": "every allocation and access, in an emulator; one run",
    "jemalloc": "one sample each 512 KiB, another allocator",
}
