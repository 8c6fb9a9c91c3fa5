# SPDX-License-Identifier: Apache-2.0
"""Messages of the streams besides metrics, with believable contents, and what a test may want to be odd about them."""
from . import protos, wire

UNSPECIFIED, META, DATA, LIAISON = range(4)

#: Characters that a text of an agent may have in it: control characters, quotes, bytes that are not UTF-8 (a lone continuation, an
#: overlong form, a surrogate, a cut sequence), and what JSON in HTML minds.
HOSTILE = bytes(range(0x20)) + b"\"\\/\x7f\x80\xc0\xaf\xed\xa0\x80\xff</script>\xe2\x80\xa8\xf0\x9f\x98\x80\xf0\x9f"
HOSTILE_VALID = (bytes(range(0x20)) + b"\"\\/\x7f</script>").decode() + "\u2028\U0001f600\ufffd"


def when(seconds: int = 1_800_000_000, nanos: int = 123_456_789) -> dict:
    return {"seconds": seconds, "nanos": nanos}


# Topology

def node(name: str, pod: str | None = None, roles=(DATA,), created: int = 1_700_000_000, nanos: int = 5, **fields):
    labels = {"type": "hot", **({"pod_name": pod} if pod else {}), **fields.pop("labels", {})}
    made = protos.database.Node(roles=list(roles), grpc_address=fields.pop("grpc_address", f"{name}:17912"), labels=labels, **fields)
    made.metadata.name = name
    made.created_at.seconds, made.created_at.nanos = created, nanos
    return made


def call(source: str, target: str, id: str | None = None):
    return protos.topology.Call(id=f"{source}-{target}" if id is None else id, source=source, target=target)


def topology(nodes=(), calls=()):
    return protos.topology.StreamClusterTopologyRequest(
        timestamp=when(), topology=protos.topology.Topology(nodes=list(nodes), calls=list(calls)))


# Lifecycle and the schema registry

def fingerprints(kind: str, name: str, registry: int = 0, **nodes):
    """An object's fingerprints: node id to (cache, runtime), or to one value for both."""
    pairs = {n: v if isinstance(v, tuple) else (v, v) for n, v in nodes.items()}
    return protos.lifecycle.ObjectConsistency(
        kind=kind, name=name, registry_fingerprint=registry,
        node_fingerprints=[
            protos.lifecycle.NodeFingerprint(node=n, cache_fingerprint=c, runtime_fingerprint=r) for n, (c, r) in pairs.items()])


def group(name: str, objects=None, errors=(), **fields):
    """`objects` None: no schema consistency in it at all."""
    made = protos.lifecycle.GroupLifecycleInfo(name=name, catalog=fields.pop("catalog", "CATALOG_MEASURE"), errors=list(errors), **fields)
    if objects is not None:
        made.schema_consistency.SetInParent()
        made.schema_consistency.objects.extend(objects)
    return made


def lifecycle(groups=(), reports=(), pod: str = ""):
    made = protos.lifecycle.StreamLifecycleRequest(timestamp=when(), pod_name=pod)
    made.lifecycle_data.SetInParent()
    made.lifecycle_data.groups.extend(groups)
    for filename, text in reports:
        made.lifecycle_data.reports.add(filename=filename, report_json=text)
    return made


def registry(groups=None, error: str = "", group_errors=None) -> list:
    """All messages of one read: group name to {(kind, name): fingerprint}. `error` is that of the whole read."""
    out = []
    for name, objects in (groups or {}).items():
        chunk = protos.schema.StreamSchemaRegistryRequest()
        chunk.group.group = name
        for (kind, object_name), fingerprint in objects.items():
            chunk.group.objects.add(kind=kind, name=object_name, fingerprint=fingerprint)
        out.append(chunk)
    for name, text in (group_errors or {}).items():
        out.append(protos.schema.StreamSchemaRegistryRequest(group=protos.schema.SchemaRegistryGroup(group=name, error=text)))
    if error:
        out.append(protos.schema.StreamSchemaRegistryRequest(group=protos.schema.SchemaRegistryGroup(error=error)))
    return out + [protos.schema.StreamSchemaRegistryRequest(done=True)]


# Crash records

def crash(artifact_dir: str, seconds: int = 1_800_000_000, **fields):
    made = protos.crash.StreamCrashDiagnosticsRequest(
        fetched_at=when(seconds), source_endpoint="fodc-agent", artifact_dir=artifact_dir, files=fields.pop("files", ["stack.txt"]))
    made.panic_record.occurred_at.seconds = seconds
    made.panic_record.component = "merge-loop"
    made.panic_record.panic_value = fields.pop("panic_value", "index out of range [3] with length 3")
    made.panic_record.recovered = True
    made.panic_record.goroutine_stack = fields.pop("stack", "goroutine 42 [running]:\nmain.f()\n")
    made.panic_record.process_metadata["version"] = "0.9"
    crumb = made.panic_record.breadcrumbs.add(stage="flush", component="merge-loop")
    crumb.time.seconds = seconds - 1
    crumb.fields["part"] = "7"
    assert not fields, fields
    return made


# Configurations

def configuration(startup=None, runtime=None, version: str = "0.9.0", seconds: int = 1_800_000_000):
    made = protos.configuration.NodeConfiguration(
        startup_parameters=dict(startup or {}), runtime_configuration=dict(runtime or {}), version=version)
    made.collected_at.seconds = seconds
    return made


# The same streams by the byte, for what protobuf would not write

def hostile_topology(text: bytes) -> bytes:
    made = wire.chunk(1, wire.chunk(1, wire.chunk(2, text)) + wire.chunk(3, text) + wire.label(6, text, text))
    return wire.chunk(2, made + wire.chunk(2, wire.chunk(1, text) + wire.chunk(2, text) + wire.chunk(3, text)))


def hostile_lifecycle(text: bytes) -> bytes:
    made_node = wire.chunk(1, wire.chunk(1, text) + wire.chunk(2, text)) + wire.label(6, text, text)
    fingerprint = wire.chunk(1, text) + wire.integer(2, 1) + wire.integer(3, 1)
    consistency = wire.chunk(2, wire.chunk(1, text) + wire.chunk(2, text) + wire.chunk(4, fingerprint))
    made_group = wire.chunk(1, text) + wire.chunk(2, text) + wire.chunk(4, wire.chunk(1, made_node)) + wire.chunk(5, text)
    made_group += wire.chunk(6, consistency)
    return wire.chunk(2, text) + wire.chunk(3, wire.chunk(1, wire.chunk(1, text) + wire.chunk(2, text)) + wire.chunk(2, made_group))


def hostile_registry(text: bytes) -> list[bytes]:
    made = wire.chunk(1, text) + wire.chunk(2, wire.chunk(1, text) + wire.chunk(2, text) + wire.integer(3, 1)) + wire.chunk(3, text)
    return [wire.chunk(1, made), wire.integer(2, 1)]


def hostile_crash(text: bytes) -> bytes:
    crumb = wire.chunk(2, text) + wire.chunk(3, text) + wire.label(4, text, text)
    record = b"".join(wire.chunk(n, text) for n in (2, 3, 5)) + wire.chunk(6, crumb) + wire.label(7, text, text)
    return wire.chunk(2, text) + wire.chunk(3, text) + wire.chunk(4, record) + wire.chunk(5, text)


def hostile_record(text: bytes) -> bytes:
    made_info = b"".join(wire.chunk(n, text) for n in (1, 2, 3, 4))
    return wire.chunk(1, wire.chunk(1, text) + wire.chunk(3, text) + wire.chunk(8, made_info))


def hostile_configuration(text: bytes) -> bytes:
    return wire.label(1, text, text) + wire.label(2, text, text) + wire.chunk(4, text)
