#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-fuzz.sh FOLDER [address|none]: builds FOLDER/fodc-fuzz, the fuzz targets with libFuzzer, with the address
# sanitizer or without. Without it, inputs take a fraction of the time, and what Swift itself checks is still found:
# bounds, overflows, preconditions, endless loops.
set -eu
cd "$(dirname "$0")/.."
folder=$1

case ${2:-address} in
address) more=,address ;;
none) more= ;;
*) echo "build-fuzz: sanitizer \"$2\" is unknown; address and none are possible" >&2; exit 2 ;;
esac

# One flag for both: of two -sanitize flags the last one counts, and coverage is gone without a word. lld: gold crashes.
sanitizers=fuzzer$more
flags=(-c release --scratch-path "$folder" --product fodc-fuzz
    -Xswiftc -enable-testing -Xswiftc "-sanitize=$sanitizers" -Xcc "-fsanitize=fuzzer-no-link$more"
    -Xlinker -fuse-ld=lld)
swift build "${flags[@]}"
# The objects and not their archive, of which the linker would take what is named alone: a conformance that is only looked
# up at run time (swift-atomics has some) would be missing, and its metadata null.
objects=$(swift build "${flags[@]}" --show-bin-path)/fodc-fuzz.product/Objects.LinkFileList
swiftc -use-ld=lld "-sanitize=$sanitizers" -o "$folder/fodc-fuzz" "@$objects" -lnghttp2 -lsystemd -lisal -lsqlite3 -lzstd -lyaml -lcrypt \
    -lgcrypt -lseccomp -lstdc++
echo "build-fuzz: $folder/fodc-fuzz"
