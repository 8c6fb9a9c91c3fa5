# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml as a judge of answers: every answer that a test gets through `Web` is held against it.

The document lets an answer have more fields than it lists, for clients' sake; here none may."""
import copy
import functools
import json
import pathlib
import re

import jsonschema
import referencing
import referencing.jsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"

#: Larger answers are not judged: it takes seconds for megabytes.
LARGEST_JUDGED_BYTES = 512 * 1024

_TIME = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,9})?Z")
_formats = jsonschema.FormatChecker(formats=())
_formats.checks("date-time")(lambda value: not isinstance(value, str) or _TIME.fullmatch(value) is not None)


@functools.cache
def document() -> dict:
    return yaml.safe_load(DOCUMENT.read_text())


def _closed(schema):
    """The schema with no room for fields that it does not list."""
    if isinstance(schema, list):
        return [_closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: _closed(v) for k, v in schema.items()}
    if isinstance(out.get("properties"), dict) and "type" in out and "additionalProperties" not in out:
        out["additionalProperties"] = False
    return out


@functools.cache
def _registry() -> referencing.Registry:
    schemas = {"components": {"schemas": _closed(copy.deepcopy(document()["components"]["schemas"]))}}
    return referencing.Registry().with_resource(
        "urn:openapi", referencing.Resource.from_contents(schemas, referencing.jsonschema.DRAFT202012))


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Of one of the document's schemas, by name."""
    return jsonschema.Draft202012Validator(
        {"$ref": f"urn:openapi#/components/schemas/{name}"}, registry=_registry(), format_checker=_formats)


@functools.cache
def _validator_of(operation_path: str, status: str, media_type: str):
    schema = _closed(copy.deepcopy(_response(operation_path, status)["content"][media_type].get("schema", {})))
    text = json.dumps(schema).replace('"#/components', '"urn:openapi#/components')
    return jsonschema.Draft202012Validator(json.loads(text), registry=_registry(), format_checker=_formats)


def _response(operation_path: str, status: str) -> dict:
    response = document()["paths"][operation_path]["get"]["responses"].get(status)
    if response and "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    return response


def operation_path(path: str) -> str | None:
    """The document's path that a request's is an instance of, if any."""
    path = path.partition("?")[0]
    for known in document()["paths"]:
        if re.fullmatch(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(known)), path):
            return known
    return None


def judge(method: str, path: str, status: int, content_type: str, body: bytes):
    """Fails when the document does not allow this answer."""
    known = operation_path(path)
    # "Not modified" has no content, and may be the answer wherever there was an ETag.
    if known is None or method not in ("GET", "HEAD") or status == 304:
        return
    response = _response(known, str(status))
    assert response is not None, f"{path} answered {status}, which the document does not know"
    media_type = content_type.partition(";")[0].strip()
    assert media_type in response["content"], f"{path} answered {status} with {content_type!r}"
    if method == "HEAD" or media_type != "application/json" or len(body) > LARGEST_JUDGED_BYTES:
        return
    errors = list(_validator_of(known, str(status), media_type).iter_errors(json.loads(body)))
    assert not errors, f"{path}: " + "; ".join(f"{e.json_path}: {e.message[:300]}" for e in errors[:5])
