#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Generates Sources/FODCProtocol/Generated from Sources/FODCProtocol/Protos.
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

protos=Sources/FODCProtocol/Protos
generated=Sources/FODCProtocol/Generated
rm -rf "$generated"
mkdir "$generated"
# Not service.proto: it holds no messages, and calls are dispatched by hand.
mapfile -t files < <(cd "$protos" && find banyandb fodc -name '*.proto' ! -name service.proto | sort)
protoc --proto_path="$protos" --plugin=protoc-gen-swift="$plugin" \
    --swift_opt=Visibility=Public --swift_opt=FileNaming=DropPath --swift_out="$generated" "${files[@]}"
echo "generate-proto: wrote $(find "$generated" -name '*.pb.swift' | wc -l) files to $generated"
