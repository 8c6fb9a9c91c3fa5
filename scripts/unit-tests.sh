#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs `swift test` with the given arguments. The output of all tests goes to .build/unit.log; failures and the summary
# go to the terminal, and once more at the end, so that the last lines of a CI log name the tests that failed.
# Up to three tests that failed run once more, alone, as in scripts/e2e-tests.sh; not after a crash.
set -u
cd "$(dirname "$0")/.."
log=.build/unit.log
limit=3
mkdir -p .build

run() {
    swift test "$@" 2>&1 | tee "$log" | grep --line-buffered -v -E '^(◇|↳|✔ Test (case |[A-Za-z0-9_]+\())'
    return "${PIPESTATUS[0]}"
}

failures() {
    echo "unit tests ended with exit code $1; $PWD/$log has everything that they printed. Failures:"
    grep -E '^(✘|↳)|[Ff]atal error|error:' "$log" | tail -n 40
    # After a crash no test is said to have failed: the one that had started and not ended is the one.
    diff <(sed -n -E 's/^◇ Test (case )?(.*) started\.$/\2/p' "$log" | grep -v '^run$' | sort -u) \
        <(sed -n -E 's/^[✔✘] Test (case )?(.*) (passed|failed|skipped).*$/\2/p' "$log" | sort -u) |
        sed -n 's/^< /did not end: /p' | tail -n 10
}

run "$@"
code=$?
[ "$code" -ne 0 ] || exit 0
failures "$code"
failed=$(sed -n -E 's/^✘ Test ([A-Za-z0-9_]+)\(.*\) .*failed.*/\1/p' "$log" | sort -u)
count=$(wc -w <<<"$failed")
if [ "$count" -eq 0 ] || [ "$count" -gt "$limit" ] || ! grep -q '^✘ Test run with' "$log"; then exit "$code"; fi
cp "$log" "${log%.log}-first.log"
echo "unit: $count tests failed beside others; they run once more, alone"
run --skip-build --filter "[./]($(tr -s ' \n' '|' <<<"$failed" | sed 's/|$//'))\\("
code=$?
if [ "$code" -ne 0 ]; then failures "$code"; exit "$code"; fi
printf 'unit: passed only alone, so it has a fault to be found: %s\n' $failed
