#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Findings of a real recording, and the golden ones, in every format, held against the formats' own rules.

    findings_formats.py [BUILD]

JSON against docs/schemas with python3-jsonschema. SARIF against the OASIS schema and Microsoft's validator, which
come from npm: with HEAPWISE_NPM=1 in the environment they are fetched into BUILD/npm once; without, and
where that fails, they are skipped.
"""
import json
import os
import re
import shutil
import subprocess

from lib_record import BUILD, HEAPWISE, ROOT, SECONDS, Folder, Verdicts, record, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = os.path.join(ROOT, "docs", "schemas")
GOLDEN = os.path.join(ROOT, "tests", "golden", "expected")
FORMATS = ["text", "json", "hotspots", "sarif", "markdown"]
PACKAGE = "@microsoft/sarif-multitool-linux"
NPM = os.path.join(BUILD, "npm")
MOST_BYTES = 4096  # of any text
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# Every limit at nothing, so that there is something to show.
CONFIG = {"schema": "heapwise-rules/1", "rules": {"AL104": {"min_count": 1, "min_percent": 0}}}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def texts_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, element in value.items():
            yield from texts_of(element)
    elif isinstance(value, list):
        for element in value:
            yield from texts_of(element)


def find(folder, *arguments):
    """The command's status, output and messages, as texts."""
    done = run([HEAPWISE, "findings", *arguments, "T"], folder=folder)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def check_schema(verdicts, name, document, schema):
    if not jsonschema:
        verdicts.skip(f"findings: {name}", "no python3-jsonschema here")
        return
    validator = jsonschema.validators.validator_for(schema)(schema)
    verdicts.say(f"findings: {name} meets its schema",
                 [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(document)])


def check_texts(verdicts, name, document):
    faults = [f"{len(text)} characters" for text in texts_of(document) if len(text.encode()) > MOST_BYTES]
    faults += [repr(text[:80]) for text in texts_of(document) if CONTROL.search(text.replace("\n", ""))]
    verdicts.say(f"findings: texts of {name} are short and printable", faults)


def check_documents(verdicts, folder, documents):
    schemas = {name: load(os.path.join(SCHEMAS, file)) for name, file in
               (("json", "findings-1.schema.json"), ("hotspots", "hotspots.schema.json"))}
    for name, schema in schemas.items():
        document = json.loads(documents[name])
        check_schema(verdicts, name, document, schema)
        check_texts(verdicts, name, document)
        golden = load(os.path.join(GOLDEN, "findings.json" if name == "json" else "findings.hotspots.json"))
        check_schema(verdicts, f"golden {name}", golden, schema)
        check_texts(verdicts, f"golden {name}", golden)
    check_texts(verdicts, "sarif", json.loads(documents["sarif"]))
    native = {spot["id"] for spot in json.loads(documents["json"])["hotspots"]}
    results = json.loads(documents["sarif"])["runs"][0]["results"]
    verdicts.say("findings: all formats have the same", [
        f"{name} lacks {finding}" for name in FORMATS for finding in native if finding not in documents[name]
        and name != "hotspots"] + ([] if len(results) == len(native) else [f"{len(results)} results"]))
    verdicts.say("findings: there are some", [] if native else ["none"])


def check_severity(verdicts, folder):
    hotspots = json.loads(find(folder, "-c", "C", "-n0", "-fjson").stdout)["hotspots"]
    order = ["info", "low", "medium", "high", "critical"]
    worst = max(order.index(spot["severity"]) for spot in hotspots)
    faults = []
    for i, severity in enumerate(order):
        status = find(folder, "-c", "C", "-n1", "--min-severity", severity).status
        if status != (1 if i <= worst else 0):
            faults.append(f"{severity}: status {status}, the worst is {order[worst]}")
    verdicts.say("findings: --min-severity", faults)


def check_configuration(verdicts, folder):
    def refused(name, text, reason):
        with open(os.path.join(folder, "B"), "w", encoding="utf-8") as file:
            file.write(text)
        done = find(folder, "-c", "B")
        lines = done.stderr.splitlines()
        fine = done.status == 2 and len(lines) == 1 and lines[0].startswith("heapwise: B: ") and reason in lines[0]
        verdicts.say(f"findings: {name}", [] if fine else [f"status {done.status}: {lines}"])

    refused("unknown key", '{"schema": "heapwise-rules/1", "rule": {}}', "there is no key 'rule'")
    refused("unknown rule", '{"schema": "heapwise-rules/1", "rules": {"AL\\n999": {}}}', "there is no rule 'AL\\x0a999'")
    refused("negative limit", '{"schema": "heapwise-rules/1", "rules": {"AL104": {"min_count": -1}}}', "0 or more")
    refused("no JSON", "schema: heapwise", "line 1")
    refused("much too large", " " * (2 << 20), "File too large")


# ---- SARIF ----

def fetch_tools():
    """The folder of Microsoft's package, or why there is none."""
    folder = os.path.join(NPM, "node_modules", *PACKAGE.split("/"))
    tool = os.path.join(folder, "Sarif.Multitool")
    if not os.path.exists(tool):
        if not os.environ.get("HEAPWISE_NPM"):
            return None, "HEAPWISE_NPM=1 fetches the validators from npm"
        if not shutil.which("npm"):
            return None, "no npm here"
        os.makedirs(NPM, exist_ok=True)
        done = subprocess.run(["npm", "install", "--prefix", NPM, "--no-audit", "--no-fund", PACKAGE],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=900)
        if done.returncode or not os.path.exists(tool):
            return None, "npm could not fetch " + PACKAGE
    os.chmod(tool, 0o755)
    return folder, None


def check_sarif(verdicts, folder, text):
    tools, why_not = fetch_tools()
    if not tools:
        verdicts.skip("findings: sarif against its schema and validator", why_not)
        return
    check_schema(verdicts, "sarif", json.loads(text), load(os.path.join(tools, "sarif-2.1.0.json")))
    check_schema(verdicts, "golden sarif", load(os.path.join(GOLDEN, "findings.sarif")),
                 load(os.path.join(tools, "sarif-2.1.0.json")))
    path = os.path.join(folder, "out.sarif")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([os.path.join(tools, "Sarif.Multitool"), "validate", path], capture_output=True,
                          text=True, timeout=SECONDS, env=dict(os.environ, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1"))
    errors = [line for line in done.stdout.splitlines() if ": error " in line]
    verdicts.say("findings: sarif passes the multitool's validator", errors or
                 ([] if done.returncode == 0 else [f"status {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"]))


def main():
    verdicts = Verdicts()
    with Folder() as folder:
        churn = os.path.join(BUILD, "bench", "churn")
        done = record([churn, "20000", "3", "1"], "T", folder=folder)
        if done.status:
            verdicts.say("findings: record churn", [f"status {done.status}: {done.stderr}"])
            verdicts.end()
        with open(os.path.join(folder, "C"), "w", encoding="utf-8") as file:
            json.dump(CONFIG, file)
        documents = {name: find(folder, "-c", "C", "-f", name).stdout for name in FORMATS}
        check_documents(verdicts, folder, documents)
        again = {name: find(folder, "-c", "C", "-f", name).stdout for name in FORMATS}
        verdicts.say("findings: a second time the same", [name for name in FORMATS if again[name] != documents[name]])
        check_severity(verdicts, folder)
        check_configuration(verdicts, folder)
        check_sarif(verdicts, folder, documents["sarif"])
    verdicts.end()


if __name__ == "__main__":
    main()
