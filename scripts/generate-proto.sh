#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Generates Sources/FODCProtocol/Generated and Sources/Pprof/Generated from the folders Protos beside them.
#
# The plugin is built from the checkout of swift-protobuf that this package resolves to: plugin and runtime library must
# be of one version. It gets a build folder of its own, since the checkout's files are read-only.
set -eu
cd "$(dirname "$0")/.."
swift package resolve
swift build -c release --package-path .build/checkouts/swift-protobuf --scratch-path .build/protoc-plugin \
    --product protoc-gen-swift
plugin=$(swift build -c release --package-path .build/checkouts/swift-protobuf --scratch-path .build/protoc-plugin \
    --show-bin-path)/protoc-gen-swift

generate() { # TARGET, then folders of its Protos
    local protos=Sources/$1/Protos generated=Sources/$1/Generated files
    shift
    rm -rf "$generated"
    mkdir "$generated"
    # Not service.proto: it holds no messages, and calls are dispatched by hand.
    mapfile -t files < <(cd "$protos" && find "$@" -name '*.proto' ! -name service.proto | sort)
    protoc --proto_path="$protos" --plugin=protoc-gen-swift="$plugin" \
        --swift_opt=Visibility=Public --swift_opt=FileNaming=DropPath --swift_out="$generated" "${files[@]}"
    echo "generate-proto: wrote $(find "$generated" -name '*.pb.swift' | wc -l) files to $generated"
}
generate FODCProtocol banyandb fodc
generate Pprof perftools
