# SPDX-License-Identifier: Apache-2.0
"""The agents' messages, generated from the project's .proto files by grpcio-tools when the tests start."""
import hashlib
import os
import pathlib
import sys
import tempfile

_SOURCES = pathlib.Path(__file__).resolve().parents[3] / "Sources"
_PROTOS = [_SOURCES / "FODCProtocol" / "Protos", _SOURCES / "Pprof" / "Protos"]


def _generate() -> str:
    """Returns a folder with the generated modules; made once per content, safe when several test processes start at once."""
    from grpc_tools import protoc
    import grpc_tools

    files = {str(p.relative_to(root)): p for root in _PROTOS for p in sorted(root.rglob("*.proto"))}
    digest = hashlib.sha256()
    digest.update(sys.version.encode())
    for name, path in files.items():
        digest.update(name.encode())
        digest.update(path.read_bytes())
    target = pathlib.Path(sys.prefix) / "fodc-protos" / digest.hexdigest()[:16]
    if not target.is_dir():
        target.parent.mkdir(exist_ok=True)
        made = tempfile.mkdtemp(dir=target.parent)
        well_known = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
        code = protoc.main(["protoc", *(f"-I{root}" for root in _PROTOS), f"-I{well_known}", f"--python_out={made}", *files])
        if code != 0:
            raise RuntimeError(f"protoc ended with {code}")
        try:
            os.rename(made, target)
        except OSError:  # another process was first
            pass
    return str(target)


sys.path.insert(0, _generate())

from banyandb.common.v1 import common_pb2 as common  # noqa: E402
from banyandb.database.v1 import database_pb2 as database  # noqa: E402
from banyandb.fodc.v1 import crash_diagnostics_pb2 as crash  # noqa: E402
from banyandb.fodc.v1 import lifecycle_pb2 as lifecycle  # noqa: E402
from banyandb.fodc.v1 import metrics_pb2 as metrics  # noqa: E402
from banyandb.fodc.v1 import pressure_profiles_pb2 as pressure  # noqa: E402
from banyandb.fodc.v1 import registration_pb2 as registration  # noqa: E402
from banyandb.fodc.v1 import schema_registry_pb2 as schema  # noqa: E402
from banyandb.fodc.v1 import topology_pb2 as topology  # noqa: E402
from fodc.proxy.v1 import node_configuration_pb2 as configuration  # noqa: E402
from perftools.profiles import profile_pb2 as pprof  # noqa: E402

SERVICE = "/banyandb.fodc.v1.FODCService/"

#: method -> (message the agent sends, message the proxy sends)
METHODS = {
    "RegisterAgent": (registration.RegisterAgentRequest, registration.RegisterAgentResponse),
    "StreamMetrics": (metrics.StreamMetricsRequest, metrics.StreamMetricsResponse),
    "StreamClusterTopology": (topology.StreamClusterTopologyRequest, topology.StreamClusterTopologyResponse),
    "StreamLifecycle": (lifecycle.StreamLifecycleRequest, lifecycle.StreamLifecycleResponse),
    "StreamCrashDiagnostics": (crash.StreamCrashDiagnosticsRequest, crash.StreamCrashDiagnosticsResponse),
    "StreamPressureProfiles": (pressure.StreamPressureProfilesRequest, pressure.StreamPressureProfilesResponse),
    "StreamSchemaRegistry": (schema.StreamSchemaRegistryRequest, schema.StreamSchemaRegistryResponse),
}

#: The streams besides the registration; all carry `agent_id`.
DATA_STREAMS = [name for name in METHODS if name != "RegisterAgent"]

#: The extension (docs/extensions.md): a service of its own, so its method is known by its whole path.
CONFIGURATION = "/fodc.proxy.v1.NodeConfigurationService/StreamConfiguration"
METHODS[CONFIGURATION] = (configuration.NodeConfiguration, configuration.NodeConfigurationRequest)

#: The streams that are asked besides metrics, by the name that /cluster and the proxy's own metrics have for them.
ASKED_STREAMS = {
    "topology": "StreamClusterTopology",
    "lifecycle": "StreamLifecycle",
    "diagnostics": "StreamCrashDiagnostics",
    "pressure_profiles": "StreamPressureProfiles",
    "schema_registry": "StreamSchemaRegistry",
    "configuration": CONFIGURATION,
}
