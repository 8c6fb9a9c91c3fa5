#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-fuzz.sh FOLDER: builds FOLDER/fodc-fuzz, the fuzz targets with libFuzzer and the address sanitizer.
set -eu
cd "$(dirname "$0")/.."
folder=$1

# One flag for both: of two -sanitize flags the last one counts, and coverage is gone without a word. lld: gold crashes.
sanitizers=fuzzer,address
flags=(-c release --scratch-path "$folder" --product fodc-fuzz
    -Xswiftc -enable-testing -Xswiftc "-sanitize=$sanitizers" -Xcc "-fsanitize=fuzzer-no-link,address"
    -Xlinker -fuse-ld=lld)
swift build "${flags[@]}"
# The objects and not their archive, of which the linker would take what is named alone: a conformance that is only looked
# up at run time (swift-atomics has some) would be missing, and its metadata null.
objects=$(swift build "${flags[@]}" --show-bin-path)/fodc-fuzz.product/Objects.LinkFileList
swiftc -use-ld=lld "-sanitize=$sanitizers" -o "$folder/fodc-fuzz" "@$objects" -lnghttp2 -lsystemd -lisal
echo "build-fuzz: $folder/fodc-fuzz"
