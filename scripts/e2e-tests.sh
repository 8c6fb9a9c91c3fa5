#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the end-to-end tests with the given arguments of pytest, side by side. Up to three tests that failed run once more,
# alone: four test processes with a thousand agents on two cores can starve one another, and a fault of the product fails
# again. A test that passes the second time is named at the end, since it has a fault of its own.
set -u
cd "$(dirname "$0")/.."
python=${1:?usage: e2e-tests.sh PYTHON [ARGUMENTS OF PYTEST]}
shift
limit=3
failed=Tests/e2e/.pytest_cache/v/cache/lastfailed
names() { "$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$failed" 2>/dev/null; }

"$python" -m pytest Tests/e2e --cache-clear "$@"
code=$?
count=$(names | grep -c .)
if [ "$code" -ne 1 ] || [ "$count" -eq 0 ] || [ "$count" -gt "$limit" ]; then exit "$code"; fi
first=$(names)
echo "e2e: $count tests failed beside others; they run once more, alone"
"$python" -m pytest Tests/e2e "$@" --last-failed --last-failed-no-failures none -n 0
code=$?
[ "$code" -ne 0 ] || printf 'e2e: passed only alone, so it has a fault to be found: %s\n' $first
exit "$code"
