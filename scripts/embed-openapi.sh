#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# embed-openapi.sh [--check]
#
# Writes docs/openapi.yaml into Sources/ExporterCore/Site/Generated/OpenAPIDocument.swift, from where the exporter serves it: the
# programs are single files that find nothing beside them. --check changes nothing and fails if the two differ.
set -eu
cd "$(dirname "$0")/.."
document=docs/openapi.yaml
source=Sources/ExporterCore/Site/Generated/OpenAPIDocument.swift

# A raw literal with more signs around it than the document has in a row: nothing in it needs escaping.
if grep -q '"""##' "$document"; then echo "embed-openapi: $document has the literal's end in it" >&2; exit 1; fi
made=$(
    printf '%s\n' '// SPDX-License-Identifier: Apache-2.0' '' \
        '// Made from docs/openapi.yaml by scripts/embed-openapi.sh; do not edit.' '' \
        '// swift-format-ignore-file' '' \
        '/// What is served at `/openapi.yaml`.' \
        'enum OpenAPIDocument {' \
        '    static let contentType = "application/yaml"' '' \
        '    static let text = ##"""'
    sed -e 's/^\(.\)/        \1/' "$document"
    printf '%s\n' '' '        """##' '}'
)

if [ "${1:-}" = --check ]; then
    [ "$made" = "$(cat "$source" 2>/dev/null)" ] || { echo "embed-openapi: $source is not up to date: scripts/embed-openapi.sh" >&2; exit 1; }
else
    printf '%s\n' "$made" > "$source"
fi
