#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh checkout to a first report: install what is missing, build, record, show.
#
#   sh examples/quickstart.sh
#
# Records sqlite3 filling a table and indexing it, and prints where it allocates. The trace stays in
# build/quickstart.hwt, for trying the other commands on.
set -eu
cd "$(dirname "$0")/.."

sh examples/setup.sh build demo
# tests/run.sh leaves a link to its own build here when there is no other.
[ ! -L build/heapwise ] || [ -f build/build.ninja ] || rm build/heapwise
[ -f build/build.ninja ] || configured=$(meson setup build --buildtype=release -Dtests=false) ||
    { printf '%s\n' "$configured" >&2; exit 1; } # meson prints its errors on standard output
ninja -C build >build/ninja.log 2>&1 || { cat build/ninja.log >&2; exit 1; }

cat >build/quickstart.sql <<'SQL'
CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT, people INTEGER);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO city SELECT i, printf('city %d', i * 7919 % 50000), i * 31 % 9973 FROM n;
COMMIT;
CREATE INDEX by_name ON city(name);
SELECT count(*), max(people) FROM city WHERE name LIKE 'city 1%';
SQL

echo '$ build/heapwise run -o build/quickstart.hwt -- sqlite3 :memory: <build/quickstart.sql'
build/heapwise run -o build/quickstart.hwt -- sqlite3 :memory: <build/quickstart.sql
echo
echo '$ build/heapwise report build/quickstart.hwt'
build/heapwise report build/quickstart.hwt
