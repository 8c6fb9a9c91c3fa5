#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tidiness that swift-format does not look at. Prints every breach and fails if there is one.
set -eu
cd "$(dirname "$0")/.."

# A file is one subject. Generated messages are not read by people.
longest_file_lines=600
# Besides these floors, unsafe pointers are for the one file that wraps a C library.
unsafe_folders='^Sources/(Rings|Platform)/'
c_boundary_files='^Sources/(HTTP2/HTTP2Session(\+Callbacks|\+native)?|Gzip/GzipStream|HTTPServer/ByteBuffer\+gzip|YAML/YAMLDocument|Credentials/(SHA256|PasswordHash)|Database/Statement|Zstandard/ZstdCodec|Pprof/Reading/GzipReader)\.swift$'

breaches=0
breach() { # TITLE, findings (nothing when empty)
    [ -n "$2" ] || return 0
    printf 'tidy: %s\n%s\n' "$1" "$2" >&2
    breaches=$((breaches + 1))
}

# Tracked files and new ones that are not ignored. Inputs of the fuzzers are neither prose nor code.
mapfile -t files < <(git ls-files --cached --others --exclude-standard | grep -v '^Tools/Fuzz/Corpus/' | sort -u | while read -r f; do [ -f "$f" ] && echo "$f"; done)
mapfile -t swift < <(printf '%s\n' "${files[@]}" | grep -E '\.swift$' | grep -vE '/Generated/' || true)
sources() { printf '%s\n' "${swift[@]}" | grep -E '^Sources/'; }
tools=$(printf '%s\n' "${swift[@]}" | sed -nE 's,^Tools/([^/]+)/.*,\1,p' | sort -u | paste -sd '|')

# Every target outside of Tools and Tests that names one inside as a dependency.
dependencies_on_tools() {
    swift package dump-package | python3 -c '
import json, sys
targets = json.load(sys.stdin)["targets"]
places = {t["name"]: (t.get("path") or ("Tests" if t["type"] == "test" else "Sources")).split("/")[0] for t in targets}
tools = {name for name, place in places.items() if place == "Tools"}
if not tools: sys.exit("no target has a path in Tools")
for target in targets:
    if places[target["name"]] in ("Tools", "Tests"): continue
    for dependency in target["dependencies"]:
        name = (dependency.get("byName") or dependency.get("target") or [None])[0]
        if name in tools: print("Package.swift: " + target["name"] + " depends on " + name)
'
}

# The bracket keeps these expressions from finding themselves.
open_ends='\<(TOD[O]|FIXM[E]|XX[X])\>|fatalError\("(not implemented|unimplemented)'
machine_paths='(^|[^[:alnum:]_}.-])/(wor[k]|far[m]|roo[t]|home/[a-z]+)/'

breach 'left open:' "$(grep -nIE "$open_ends" -- "${files[@]}" || true)"
breach 'paths of one machine:' "$(grep -nIE "$machine_paths" -- "${files[@]}" || true)"
breach "Swift files over $longest_file_lines lines (is each one subject?):" \
    "$(wc -l -- "${swift[@]}" | awk -v most=$longest_file_lines '$1 > most && $2 != "total" { print $2 ": " $1 }')"
breach 'unsafe pointers above Rings and Platform:' \
    "$(sources | grep -vE "$unsafe_folders" | grep -vE "$c_boundary_files" | xargs -r grep -nE 'Unsafe' -- || true)"
breach 'the product uses the workshop (Tools):' \
    "$(sources | xargs -r grep -nE "\<import +([a-z]+ +)?($tools)\>" -- || true
    dependencies_on_tools 2>&1 || true)"
breach 'white space at the end of a line:' "$(grep -nIE '[[:blank:]]+$' -- "${files[@]}" || true)"
breach 'first line does not name the licence:' \
    "$(awk 'FNR == 1 { named = 0 }
        FNR <= 2 && /SPDX-License-Identifier: Apache-2.0/ { named = 1 }
        FNR == 2 && !named { print FILENAME }' "${swift[@]}")"
breach 'made of docs/openapi.yaml, and not up to date:' "$(scripts/embed-openapi.sh --check 2>&1 || true)"
breach 'made of Sources/ExporterCore/Site/Assets, and not up to date:' "$(scripts/embed-site.py --check 2>&1 || true)"
breach 'words, names, documents and diagrams:' "$(scripts/check-prose.py 2>&1 || true)"

breach 'mutations that do not fit the sources:' "$(scripts/mutations.py --check 2>&1 || true)"

[ "$breaches" = 0 ] || exit 1
