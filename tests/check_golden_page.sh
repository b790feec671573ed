#!/bin/sh
# SPDX-License-Identifier: MIT
# trace/FORMAT.md shows the bytes that tests/unit/test_record.c freezes, record by record.
cd "$(dirname "$0")/.." || exit 1
command -v python3 >/dev/null || { echo "skip golden page: no python3"; exit 0; }
python3 - <<'PYTHON'
import ast
import re

page = open("trace/FORMAT.md").read().splitlines()
test = open("tests/unit/test_record.c").read()
table = test[test.index("goldens[] = {"):test.index("enum { N_GOLDENS")]
rows = re.findall(r'\{"(\w+)",\s*BYTES\(((?:\s*"(?:[^"\\]|\\.)*")+)\)', table)
missing = []
for name, literals in rows:
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
    frozen = b"".join(ast.literal_eval(f'b"{part}"') for part in parts).hex(" ")
    if not any(f"| {name} |" in line and f"`{frozen}`" in line for line in page):
        missing.append(f"{name} ({frozen})")
if len(rows) < 50:
    missing.append(f"only {len(rows)} rows found in the test")
print("not ok the format's page shows the frozen bytes: " + ", ".join(missing) if missing
      else "ok the format's page shows the frozen bytes")
PYTHON
