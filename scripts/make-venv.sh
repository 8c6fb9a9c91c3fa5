#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make-venv.sh FOLDER
#
# Makes the virtual environment of the end-to-end tests, or keeps the one that was made of the same requirements by the
# same Python. FOLDER/.made-of remembers of what; it is written last, so that a half-made folder is made again.
set -eu
cd "$(dirname "$0")/.."
folder=$1
requirements=Tests/e2e/requirements.txt
made_of=$(python3 --version; command -v python3; cat "$requirements")

if [ "$(cat "$folder/.made-of" 2>/dev/null)" = "$made_of" ]; then exit 0; fi
echo "make-venv: making $folder from $requirements"
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
printf '%s\n' "$made_of" > "$folder/.made-of"
