#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# profile.sh NAME [SECONDS]
#
# Runs the load of one case of bench.py under `perf record` and prints where the ingest workers and the exporter spend
# their time. Needs Debian's linux-perf; samples by cpu-clock, which works also where the machine has no counters.
# The recording stays in .build/profile.data for `perf report -i`.
set -eu
cd "$(dirname "$0")/.."
name=${1:?usage: profile.sh NAME [SECONDS]; names: bench.py --list}
seconds=${2:-10}
command -v perf >/dev/null || { echo "profile: perf is missing: apt-get install linux-perf" >&2; exit 1; }

# Samples a second: not a divisor of the ticks, so that what runs at each tick is not over-counted.
frequency=997
# Functions below this share of a process are left out.
least_percent=0.8

mkdir -p .build
data=.build/profile.data
# The load goes on for a little longer than it is looked at.
coproc load { exec python3 bench/bench.py --only "$name" --hold "$((seconds + 3))"; }
load_pid=$load_PID
trap 'kill -TERM "$load_pid" 2>/dev/null || true; wait "$load_pid" 2>/dev/null || true' EXIT
read -r word ingest exporter <&"${load[0]}" || { echo "profile: the load did not start" >&2; exit 1; }
[ "$word" = ready ] || { echo "profile: $word $ingest $exporter" >&2; exit 1; }

perf record -q -e cpu-clock -F "$frequency" -g -p "$ingest,$exporter" -o "$data" -- sleep "$seconds"

demangle=(cat)
command -v swift-demangle >/dev/null && demangle=(swift-demangle --compact)
for pids in "$ingest" "$exporter"; do
    echo
    if [ "$pids" = "$ingest" ]; then echo "== ingest workers"; else echo "== exporter"; fi
    perf report -i "$data" --stdio --no-children -g none --pid "$pids" --percentage relative \
        --sort dso,symbol --percent-limit "$least_percent" 2>/dev/null |
        grep -vE '^(#|$)' | "${demangle[@]}" | cut -c1-160 | sed "s# *\$##" || true
done
