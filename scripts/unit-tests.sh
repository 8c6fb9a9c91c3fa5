#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs `swift test` with the given arguments. The output of all tests goes to .build/unit.log; failures and the summary
# go to the terminal, and once more at the end, so that the last lines of a CI log name the tests that failed.
set -u
cd "$(dirname "$0")/.."
log=.build/unit.log
mkdir -p .build
swift test "$@" 2>&1 | tee "$log" | grep --line-buffered -v -E '^(◇|↳|✔ Test (case |[A-Za-z0-9_]+\())'
code=${PIPESTATUS[0]}
if [ "$code" -ne 0 ]; then
    echo "unit tests ended with exit code $code; $PWD/$log has everything that they printed. Failures:"
    grep -E '^(✘|↳)|[Ff]atal error|error:' "$log" | tail -n 40
    # After a crash no test is said to have failed: the one that had started and not ended is the one.
    diff <(sed -n -E 's/^◇ Test (case )?(.*) started\.$/\2/p' "$log" | grep -v '^run$' | sort -u) \
        <(sed -n -E 's/^[✔✘] Test (case )?(.*) (passed|failed|skipped).*$/\2/p' "$log" | sort -u) |
        sed -n 's/^< /did not end: /p' | tail -n 10
fi
exit "$code"
