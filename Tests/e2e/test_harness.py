# SPDX-License-Identifier: Apache-2.0
"""The agents of these tests against a small server of grpcio's: what the other tests rely on in them."""
import concurrent.futures
import pathlib
import queue
import sys

import grpc
import pytest

# The judge of `make chaos` has its tests beside it; they run here.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
pytest.register_assert_rewrite("chaos.test_judge")
from chaos.test_judge import *  # noqa: E402, F403

from harness import fleet, messages, protos
from harness.agent import Agent
from harness.processes import pause
from harness.profiles import Blob, Profiles
from harness.protos import pressure
from harness.waiting import eventually


class Server(grpc.GenericRpcHandler):
    """Takes every call. Its requests come from `asks`, by method; messages are in `got`. A method in `unread` is not
    read, and its flow-control window stays shut."""

    def __init__(self):
        self.asks = {path: queue.Queue() for path in self._paths()}
        self.got = {path: [] for path in self._paths()}
        self.unread: set[str] = set()
        self._pool = concurrent.futures.ThreadPoolExecutor(100)
        self._server = grpc.server(self._pool, options=[("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    @staticmethod
    def _paths():
        return {m if m.startswith("/") else protos.SERVICE + m: t for m, t in protos.METHODS.items()}

    def service(self, details):
        path = details.method
        types = self._paths().get(path)
        if types is None:
            return None

        def handle(incoming, context):
            self._pool.submit(self._read, path, incoming)
            if path.endswith("RegisterAgent"):
                yield protos.registration.RegisterAgentResponse(success=True, agent_id="an-id")
            while context.is_active():
                try:
                    ask = self.asks[path].get(timeout=0.1)
                except queue.Empty:
                    continue
                yield ask

        return grpc.stream_stream_rpc_method_handler(
            handle, request_deserializer=types[0].FromString, response_serializer=types[1].SerializeToString)

    def _read(self, path, incoming):
        while path.rsplit("/", 1)[1] in self.unread:
            pause(0.05)
        try:
            for message in incoming:
                self.got[path].append(message)
        except grpc.RpcError:
            pass
        except Exception:  # the call is over
            pass

    def ask(self, stream: str, message):
        method = protos.ASKED_STREAMS.get(stream, stream)
        self.asks[method if method.startswith("/") else protos.SERVICE + method].put(message)

    def taken(self, stream: str) -> list:
        method = protos.ASKED_STREAMS.get(stream, stream)
        return self.got[method if method.startswith("/") else protos.SERVICE + method]

    def stop(self):
        self._server.stop(0)
        self._pool.shutdown(wait=False)


@pytest.fixture
def server():
    made = Server()
    yield made
    made.unread.clear()
    made.stop()


def make(server, **fields) -> Agent:
    return Agent(server.address, **fields).start()


REQUESTS = {
    "topology": protos.topology.StreamClusterTopologyResponse(request_topology=True),
    "lifecycle": protos.lifecycle.StreamLifecycleResponse(request_lifecycle=True),
    "diagnostics": protos.crash.StreamCrashDiagnosticsResponse(request_diagnostics=True),
    "pressure_profiles": pressure.StreamPressureProfilesResponse(list_profiles=pressure.ListProfiles(request_id="r-1")),
    "schema_registry": protos.schema.StreamSchemaRegistryResponse(request_registry=True),
    "configuration": protos.configuration.NodeConfigurationRequest(),
}


def test_harness_agent_answers_every_stream(server):
    made = []

    def agents(running, pod, **fields):
        made.append(make(running, pod=pod, **fields))
        return made[-1]

    liaison = fleet.start(agents, server)[0]
    assert set(liaison.asked) == set(protos.ASKED_STREAMS)
    for stream, request in REQUESTS.items():
        server.ask(stream, request)
        eventually(lambda: server.taken(stream), f"an answer on {stream}")
    eventually(lambda: any(m.done for m in server.taken("schema_registry")), "the registry is done")
    eventually(lambda: server.taken("pressure_profiles")[-1].list_complete.request_id == "r-1", "the list has its end")
    for agent in made:
        agent.close()


def fetch(server, request_id="f-1"):
    server.ask("pressure_profiles", pressure.StreamPressureProfilesResponse(
        fetch_profile=pressure.FetchPressureProfile(request_id=request_id, profile_id="p-1", type="heap")))


def test_harness_agent_sends_profile_chunks(server):
    blob = Blob(3 << 20 | 5)
    agent = make(server, answers={"pressure_profiles": Profiles.with_profile(blob)})
    fetch(server)
    chunks = eventually(lambda: (got := server.taken("pressure_profiles")) and got[-1].chunk.last and got, "the last chunk")
    assert b"".join(c.chunk.data for c in chunks) == blob.read()
    assert [c.chunk.last for c in chunks] == [False] * 3 + [True]
    assert {c.chunk.request_id for c in chunks} == {"f-1"}
    agent.close()


@pytest.mark.parametrize("one_lock", [True, False])
def test_harness_agent_blocks_all_streams_while_one_is_not_read_under_one_lock(server, one_lock):
    server.unread.add("StreamPressureProfiles")
    profiles = Profiles.with_profile(Blob(64 << 20))
    agent = make(server, answers={"pressure_profiles": profiles, "topology": messages.topology()}, one_lock=one_lock)
    fetch(server)
    eventually(lambda: profiles.sent_chunks > 0, "the download has begun")
    last = -1
    while last != profiles.sent_chunks:
        last = profiles.sent_chunks
        pause(0.3)
    assert last < 64, "the flow-control window must be closed"
    server.ask("topology", REQUESTS["topology"])
    agent.heartbeat()
    if one_lock:
        pause(0.5)
        assert server.taken("topology") == [] and len(server.taken("RegisterAgent")) == 1
        server.unread.clear()
    eventually(lambda: server.taken("topology") and len(server.taken("RegisterAgent")) == 2, "the other streams continue")
    agent.close()


def test_harness_agent_releases_its_lock_when_the_stream_ends(server):
    server.unread.add("StreamPressureProfiles")
    profiles = Profiles.with_profile(Blob(64 << 20))
    agent = make(server, answers={"pressure_profiles": profiles, "topology": messages.topology()}, one_lock=True)
    fetch(server)
    eventually(lambda: profiles.sent_chunks > 0, "the download has begun")
    pause(0.3)
    agent.asked["pressure_profiles"].stream.cancel()
    server.ask("topology", REQUESTS["topology"])
    eventually(lambda: server.taken("topology"), "the other streams continue")
    agent.close()
