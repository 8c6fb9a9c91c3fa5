#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tidiness that swift-format does not look at. Prints every breach and fails if there is one.
set -eu
cd "$(dirname "$0")/.."

# A file is one subject. Generated messages are nobody's to read.
longest_file_lines=600
# Besides these floors, unsafe pointers are for the one file that wraps a C library.
unsafe_folders='^Sources/(Lanes|Platform)/'
c_boundary_files='^Sources/(HTTP2/HTTP2Session(\+Callbacks)?|HTTPServer/GzipStream)\.swift$'

breaches=0
breach() { # TITLE, findings (nothing when empty)
    [ -n "$2" ] || return 0
    printf 'tidy: %s\n%s\n' "$1" "$2" >&2
    breaches=$((breaches + 1))
}

# Tracked files and new ones that are not ignored; folders that hold no prose or code of ours are left out.
mapfile -t files < <(git ls-files --cached --others --exclude-standard | sort -u | while read -r f; do [ -f "$f" ] && echo "$f"; done)
mapfile -t swift < <(printf '%s\n' "${files[@]}" | grep -E '\.swift$' | grep -vE '/Generated/' || true)
sources() { printf '%s\n' "${swift[@]}" | grep -E '^Sources/'; }

# The bracket keeps these expressions from finding themselves.
open_ends='\<(TOD[O]|FIXM[E]|XX[X])\>|fatalError\("(not implemented|unimplemented)'
machine_paths='(^|[^[:alnum:]_}.-])/(wor[k]|far[m]|roo[t]|home/[a-z]+)/'

breach 'left open:' "$(grep -nIE "$open_ends" -- "${files[@]}" || true)"
breach 'paths of one machine:' "$(grep -nIE "$machine_paths" -- "${files[@]}" || true)"
breach "Swift files over $longest_file_lines lines (is each one subject?):" \
    "$(for f in "${swift[@]}"; do n=$(wc -l < "$f"); [ "$n" -le "$longest_file_lines" ] || echo "$f: $n"; done)"
breach 'unsafe pointers above Lanes and Platform:' \
    "$(sources | grep -vE "$unsafe_folders" | grep -vE "$c_boundary_files" | xargs -r grep -nE 'Unsafe' -- || true)"
breach 'white space at the end of a line:' "$(grep -nIE '[[:blank:]]+$' -- "${files[@]}" || true)"
breach 'first line does not name the licence:' \
    "$(for f in "${swift[@]}"; do head -2 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"; done)"
breach 'made of docs/openapi.yaml, and not up to date:' "$(scripts/embed-openapi.sh --check 2>&1 || true)"

[ "$breaches" = 0 ] || exit 1
