#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-base.sh COMMIT
#
# Builds the release programs of another commit into .build-base/COMMIT/.build/release, once; for paired measurements.
set -eu
cd "$(dirname "$0")/.."
commit=$(git rev-parse --short=12 "$1")
folder=.build-base/$commit
if [ ! -e "$folder/.complete" ]; then
    rm -rf "$folder"
    mkdir -p .build-base
    git clone --quiet --no-checkout . "$folder"
    git -C "$folder" checkout --quiet "$commit"
    make --directory "$folder" build
    touch "$folder/.complete"
fi
