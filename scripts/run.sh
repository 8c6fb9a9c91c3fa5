#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BIN
#
# Starts the proxy of folder BIN on its default ports (of 127.0.0.1 only) with five simulated agents, waits until it
# answers with all five, and says what to look at. The key k kills one of the agents. Ctrl-C ends everything; nothing is left behind. Other ports:
# FODC_GRPC_LISTEN_ADDR and FODC_HTTP_LISTEN_ADDR. State of the running proxy is in the folder run beside BIN.
set -eu
bin=$1
agents=5
grpc=${FODC_GRPC_LISTEN_ADDR:-127.0.0.1:17912}
http=${FODC_HTTP_LISTEN_ADDR:-127.0.0.1:17913}
patience_seconds=30

# Always the same, so that what README.md says of it can be typed. The lock is the processes' too: it is held until the last one is gone.
folder=${FODC_RUN_FOLDER:-$(dirname "$bin")/run}
mkdir -p "$folder"
exec 9>"$folder.lock"
flock -n 9 || { echo "run: another one is under way in $folder; end it first" >&2; exit 1; }
rm -rf "${folder:?}"/*
# Variables that make has set for the tests are not for the proxy.
unset FODC_RUN_FOLDER FODC_BIN FODC_DEBUG_BIN FODC_DEBIAN_ROOT FODC_REVISION
proxy= simulation= doomed=
clean_up() {
    trap '' INT TERM
    # Agents first: an agent that loses its proxy says so in its log, over and over.
    for pid in $doomed $simulation $proxy; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder" "$folder.lock"
}
trap clean_up EXIT
trap 'exit 0' INT TERM

mkdir "$folder/state" "$folder/runtime"
"$bin/fodc-proxy" --grpc-listen-addr "$grpc" --http-listen-addr "$http" --log-level warning \
    --state-dir "$folder/state" --runtime-dir "$folder/runtime" &
proxy=$!
"$bin/fodc-agentsim" --proxy "$grpc" --agents "$((agents - 1))" --streams 8 >"$folder/agentsim.log" 2>&1 &
simulation=$!
# The last one is a process of its own, so that it can be killed.
"$bin/fodc-agentsim" --proxy "$grpc" --agents 1 --start-index "$((agents - 1))" --streams 8 >"$folder/doomed.log" 2>&1 &
doomed=$!

look() { # PATH: the answer's body, by what is there
    if command -v curl >/dev/null; then curl -sf "http://$http$1"; else wget -qO- "http://$http$1"; fi
}
for ((tries = patience_seconds * 10; ; tries--)); do
    kill -0 "$proxy" 2>/dev/null || { wait "$proxy" || true; echo "run: the proxy did not start (see above)" >&2; exit 1; }
    kill -0 "$simulation" 2>/dev/null || { cat "$folder/agentsim.log" >&2; echo "run: the agents did not start" >&2; exit 1; }
    case $(look /health 2>/dev/null || true) in *'"status":"healthy"'*"\"agents_online\":$agents,"*) break ;; esac
    [ "$tries" -gt 0 ] || { echo "run: not $agents agents online within $patience_seconds s" >&2; exit 1; }
    sleep 0.1
done

show() { # COMMAND, and what it prints, indented
    printf '\n  $ %s\n' "$1"
    bash -c "$1" 2>/dev/null | cut -c1-180 | sed 's/^/    /' || true
}
cat <<TEXT

Look at http://$http/ in a browser.

The proxy serves http://$http, $agents simulated agents are connected to $grpc. Type in another terminal:
TEXT
show "curl -s http://$http/health"
show "curl -s http://$http/metrics | grep -m 4 '^banyandb_'"
show "curl -s http://$http/metrics | grep '^fodc_proxy_agents'"
show "curl -s 'http://$http/metrics?role=ROLE_LIAISON' | grep -c '^banyandb_'"
show "curl -s http://$http/metrics-windows | head -c 300"
show "curl -s http://$http/cluster/topology | head -c 300"
show "curl -s http://$http/pressure-profiles | head -c 300"
show "curl -s http://$http/ | grep '^/'"
cat <<TEXT

Ask the service itself, and change it while it serves:

  $ $bin/fodc-proxy ctl --runtime-dir $folder/runtime status
  $ $bin/fodc-proxy ctl --runtime-dir $folder/runtime scale 4

Kill a worker and look again; the proxy starts another:

  $ pkill -9 -P $proxy fodc-exporter

Press k after a minute to kill one of the agents, and to see what the black box knows of it. Ctrl-C ends all.
TEXT

newest_incident() { # ID and POD of the newest node that is gone, once there is one
    look "/incidents?kind=node-gone&limit=1" | sed -n 's/.*"id":"\([^"]*\)".*"pod_name":"\([^"]*\)".*/\1 \2/p'
}
kill_one() {
    local found='' pod
    if [ -z "$doomed" ]; then echo "run: that agent is gone already"; return; fi
    kill -9 "$doomed"
    wait "$doomed" 2>/dev/null || true
    doomed=
    printf '\nAn agent is killed; the proxy waits for it to come back (--stale-grace) ...\n'
    for ((tries = patience_seconds * 2; tries > 0; tries--)); do
        found=$(newest_incident || true)
        [ -z "$found" ] || break
        sleep 0.5
    done
    if [ -z "$found" ]; then echo "run: no incident within $patience_seconds s" >&2; return; fi
    read -r found pod <<<"$found"
    show "$bin/fodc-proxy ctl --runtime-dir $folder/runtime incidents"
    show "curl -s http://$http/incidents/$found | head -c 500"
    show "curl -s http://$http/black-box/$pod | tail -n 3"
    cat <<TEXT

All that is known of it, with a README.txt that says how to load it into a Prometheus:

  $ curl -s http://$http/incidents/$found/bundle | tar -tz
TEXT
}

# Ends also when one of the two does.
has_keys=true
while kill -0 "$proxy" 2>/dev/null && kill -0 "$simulation" 2>/dev/null; do
    if ! $has_keys; then
        wait -n "$proxy" "$simulation" || true
        continue
    fi
    key= status=0
    read -rsn 1 -t 1 key || status=$?
    # Above 128 it is the second that has passed; below, nobody can press a key.
    if [ "$status" -gt 0 ] && [ "$status" -lt 128 ]; then has_keys=false; fi
    if [ "$key" = k ]; then kill_one; fi
done
echo "run: the proxy or the simulation has ended" >&2
exit 1
