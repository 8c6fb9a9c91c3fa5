# SPDX-License-Identifier: Apache-2.0
"""TLS, client certificates and allow lists of the agents' port, with clients that are not ours: grpcio, openssl, stunnel."""
import contextlib
import pathlib
import shutil
import socket
import subprocess

import grpc
import pytest

from harness import certificates, tables
from harness.agent import Agent
from harness.ctl import Control
from harness.processes import Program, free_port
from harness.waiting import eventually

#: A change is in use after 2 s; a bad one is told after 4 s.
PATIENCE = 20
PATTERN = "dns:{pod_name}.banyandb-headless.*"
#: Handshakes under way at a time, and those that one address may begin at once (HandshakeAdmission).
UNDER_WAY, BURST = 1024, 2048


@pytest.fixture
def authority(tmp_path):
    return certificates.Authority(tmp_path)


@pytest.fixture
def server(authority):
    return authority.sign("server", "localhost", "127.0.0.1")


def tls_flags(server, authority=None, auth="none", **more) -> dict:
    """With an authority agents present certificates."""
    flags = {"grpc_tls_listen_addr": f"127.0.0.1:{free_port()}", "grpc_tls_cert_file": server.crt, "grpc_tls_key_file": server.key_file}
    if authority:
        flags |= {"grpc_tls_client_ca_file": authority.crt, "grpc_tls_client_auth": auth}
    return flags | more


def flags_of(running, flags: dict, **changed) -> list[str]:
    """Those that a reload needs: the listeners as they are, and others."""
    base = {"grpc_listen_addr": running.address, "http_listen_addr": f"127.0.0.1:{running.http_port}",
            "state_dir": running.folder / "state", "runtime_dir": running.folder / "runtime", "record_interval": "0"}
    return [f"--{name.replace('_', '-')}={value}" for name, value in (base | flags | changed).items() if value is not None]


def credentials(authority, client=None) -> grpc.ChannelCredentials:
    key, chain = client.identity() if client else (None, None)
    return grpc.ssl_channel_credentials(authority.crt.read_bytes(), key, chain)


def pod_certificate(authority, pod: str, *names: str, **more) -> certificates.Certificate:
    return authority.sign(pod, f"{pod}.banyandb-headless.prod.svc.cluster.local", *names, **more)


def metric(running, name: str, **labels) -> float:
    found = running.scrape().named(name)
    return sum(v for k, v in found.items() if labels.items() <= dict(k).items())


def handshake_failures(running) -> dict[str, float]:
    """Of agents, by reason."""
    found = running.scrape().named("fodc_proxy_tls_handshake_failures_total")
    return {dict(k)["reason"]: v for k, v in found.items() if dict(k)["listener"] == "grpc" and v}


def refusal(agent: Agent, timeout: float = 15) -> tuple[grpc.StatusCode, str]:
    """How the registration of an agent ends that is not to come in."""
    return agent.begin_registration().status(timeout)


def s_client(address: str, authority, *flags) -> str:
    ended = subprocess.run(
        ["openssl", "s_client", "-connect", address, "-CAfile", authority.crt, *flags], input="", capture_output=True, text=True, timeout=60)
    return ended.stdout + ended.stderr


# MARK: The listener


def test_grpc_tls_serves_beside_the_plaintext_listener(proxy, agents, authority, server):
    flags = tls_flags(server, sandbox="required")
    running = proxy(**flags)
    old = agents(running, "old")
    new = agents(running, "new", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
    for agent in (old, new):
        agent.samples = [agent.sample("value", 1)]
    assert len(running.scrape().named("value")) == 2
    # A message of some MiB, through many records of TLS and windows of HTTP/2.
    new.samples = [new.sample("big", float(n), n=str(n), text="x" * 400) for n in range(5_000)]
    eventually(lambda: len(running.scrape().named("big")) == 5_000, "the large message is there")
    assert metric(running, "fodc_proxy_tls_handshakes_total", listener="grpc") == 1
    assert metric(running, "fodc_proxy_certificate_expiry_timestamp_seconds", listener="grpc") == server.expires_at
    assert metric(running, "fodc_proxy_config_last_reload_successful", file="grpc-tls") == 1
    status = Control(running.folder / "runtime").status()
    assert (status["grpc_address"], status["grpc_tls_address"]) == (running.address, flags["grpc_tls_listen_addr"])
    # An agent that has not been told of TLS is told of in the log.
    lost = agents(running, "lost", address=flags["grpc_tls_listen_addr"], start=False)
    assert refusal(lost)[0] == grpc.StatusCode.UNAVAILABLE
    eventually(lambda: handshake_failures(running) == {"not_tls": 1}, "it is counted")
    assert "a TLS handshake of an agent failed: not_tls" in running.output()


def test_grpc_tls_instead_of_plaintext(proxy, agents, authority, server):
    flags = tls_flags(server, grpc_listen_addr="none")
    running = proxy(**flags)
    agents(running, "a", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
    assert running.health()["agents_online"] == 1
    status = Control(running.folder / "runtime").status()
    assert (status["grpc_address"], status["grpc_tls_address"]) == ("none", flags["grpc_tls_listen_addr"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.grpc_port), timeout=5)


def test_grpc_tls_versions_ciphers_and_protocol(proxy, authority, server):
    flags = tls_flags(server)
    running = proxy(**flags)
    address = flags["grpc_tls_listen_addr"]
    for flag in ("-tls1_2", "-tls1_3"):
        told = s_client(address, authority, flag, "-alpn", "h2,http/1.1")
        assert "Verification: OK" in told and "ALPN protocol: h2" in told, told
    assert "ECDHE-ECDSA-AES128-GCM-SHA256" in s_client(address, authority, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    for refused in (["-tls1_1"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"]):
        assert "Cipher is (NONE)" in s_client(address, authority, *refused), refused
    # (openssl of Debian does not offer TLS 1.1 by itself: then the connection is closed without a handshake.)
    eventually(lambda: handshake_failures(running).get("cipher") == 2, "both are counted")
    assert handshake_failures(running).keys() <= {"cipher", "version", "closed"}


@pytest.mark.parametrize("auth, without", [("require", False), ("optional", True)])
def test_grpc_mtls_certificates(proxy, agents, authority, server, tmp_path, auth, without):
    flags = tls_flags(server, authority, auth)
    running = proxy(**flags)
    stranger = certificates.Authority(tmp_path, "other").sign("stranger", "stranger")
    old = authority.sign("expired", "expired", days=-1)
    agents(running, "right", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority, authority.sign("right", "right")))
    plain = agents(running, "none", address=flags["grpc_tls_listen_addr"], start=False, credentials=credentials(authority))
    if without:
        plain.start()
    else:
        assert refusal(plain)[0] == grpc.StatusCode.UNAVAILABLE
    for client in (stranger, old):
        one = agents(running, "wrong", address=flags["grpc_tls_listen_addr"], start=False, credentials=credentials(authority, client))
        assert refusal(one)[0] == grpc.StatusCode.UNAVAILABLE
    assert running.health()["agents_online"] == 1 + without
    expected = {"bad_certificate"} | ({"no_certificate"} if not without else set())
    eventually(lambda: set(handshake_failures(running)) == expected, "the reasons are counted")


# MARK: Identities


def test_grpc_identity_must_match_the_pod(proxy, agents, authority, server):
    flags = tls_flags(server, authority, "require", grpc_agent_identity=PATTERN, ingest_workers=1)
    running = proxy(**flags)
    own = credentials(authority, pod_certificate(authority, "data-0"))
    agents(running, "data-0", address=flags["grpc_tls_listen_addr"], credentials=own)
    for _ in range(3):
        liar = agents(running, "data-1", address=flags["grpc_tls_listen_addr"], start=False, credentials=own)
        code, text = refusal(liar)
        assert code == grpc.StatusCode.PERMISSION_DENIED and '"data-1"' in text
    other = credentials(authority, authority.sign("other", "data-2.elsewhere.svc", "spiffe://cluster.local/data-2"))
    assert refusal(agents(running, "data-2", address=flags["grpc_tls_listen_addr"], start=False, credentials=other))[0] == grpc.StatusCode.PERMISSION_DENIED
    assert metric(running, "fodc_proxy_auth_failures_total", listener="grpc", reason="identity") == 4
    assert running.output().count("its certificate may not register this pod") == 1, "once of each source"
    assert "dns:data-0.banyandb-headless.prod.svc.cluster.local" in running.output()
    assert running.health()["agents_total"] == 1


def test_grpc_identity_by_spiffe(proxy, agents, authority, server):
    flags = tls_flags(server, authority, "require", grpc_agent_identity="spiffe://cluster.local/ns/*/sa/banyandb")
    running = proxy(**flags)
    right = authority.sign("right", "spiffe://cluster.local/ns/prod/sa/banyandb")
    agents(running, "data-0", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority, right))
    wrong = authority.sign("wrong", "spiffe://cluster.local/ns/prod/sa/default")
    stranger = agents(running, "data-1", address=flags["grpc_tls_listen_addr"], start=False, credentials=credentials(authority, wrong))
    assert refusal(stranger)[0] == grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("workers", [1, 2])
def test_grpc_streams_belong_to_the_certificate_that_registered(proxy, agents, authority, server, workers):
    """A client that has overheard another's id cannot use it: with a certificate of its own, without one, without TLS, at
    whichever worker."""
    flags = tls_flags(server, authority, "optional", ingest_workers=workers)
    running = proxy(**flags)
    address = flags["grpc_tls_listen_addr"]
    mine = pod_certificate(authority, "data-0")
    victim = agents(running, "data-0", address=address, credentials=credentials(authority, mine))
    victim.samples = [victim.sample("value", 1)]
    thieves = [{"address": address, "credentials": credentials(authority, pod_certificate(authority, "data-1"))},
               {"address": address, "credentials": credentials(authority)}, {}]
    for worker in range(workers):
        with tables.only(running, worker) if workers > 1 else contextlib.nullcontext():
            opened = [agents(running, "thief", start=False, **how) for how in thieves]
            streams = [thief.open("StreamMetrics", metadata=[("agent_id", victim.agent_id)]) for thief in opened]
            ends = [stream.status() for stream in streams]
        assert [code for code, _ in ends] == [grpc.StatusCode.PERMISSION_DENIED] * 3, ends
    assert metric(running, "fodc_proxy_auth_failures_total", listener="grpc", reason="stream_identity") == 3 * workers
    assert running.scrape().named("value"), "the agent has noticed nothing"
    # A second connection with the same names is the agent's own, as in a service mesh, also when its certificate has been renewed.
    renewed = pod_certificate(authority, "data-0")
    assert renewed.serial != mine.serial
    friend = agents(running, "friend", start=False, address=address, credentials=credentials(authority, renewed))
    stream = friend.open("StreamMetrics", metadata=[("agent_id", victim.agent_id)])
    friend.sync()
    assert not stream.is_ended


# MARK: Files that change


def replace(path: pathlib.Path, content: bytes):
    """As a volume of Kubernetes does it: another file in its place."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


def serial(address: str, authority) -> int:
    told = s_client(address, authority, "-showcerts")
    pem = told[told.index("-----BEGIN CERTIFICATE-----"):told.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
    return certificates.x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_grpc_certificates_are_renewed_while_agents_are_connected(proxy, agents, authority, server, tmp_path):
    flags = tls_flags(server, authority, "require")
    running = proxy(sandbox="required", **flags)
    address = flags["grpc_tls_listen_addr"]
    agent = agents(running, "old", address=address, credentials=credentials(authority, authority.sign("old", "old")))
    agent.samples = [agent.sample("value", 1)]
    assert serial(address, authority) == server.serial
    # Certificate and key are two files, and an authority comes besides the old one.
    other = certificates.Authority(tmp_path, "next")
    renewed = authority.sign("server", "localhost", "127.0.0.1", days=90)
    replace(authority.crt, authority.crt.read_bytes() + other.crt.read_bytes())
    eventually(lambda: serial(address, authority) == renewed.serial, "the renewed certificate is used", PATIENCE)
    late = credentials(authority, other.sign("late", "late"))

    def is_trusted() -> bool:
        one = agents(running, "late", start=False, address=address, credentials=late)
        try:
            one.start()
        except AssertionError:
            one.close()
        return bool(one.metrics)

    eventually(is_trusted, "the new authority is trusted", PATIENCE, interval=0.5)
    assert not agent.registration.is_ended and not agent.metrics.is_ended and running.scrape().named("value")
    # (The earliest of all workers, each of which looks for itself.)
    eventually(lambda: metric(running, "fodc_proxy_certificate_expiry_timestamp_seconds", listener="grpc") == renewed.expires_at, "it is told")
    assert metric(running, "fodc_proxy_config_last_reload_successful", file="grpc-tls") == 1


def test_grpc_bad_files_keep_the_old(proxy, agents, authority, server):
    flags = tls_flags(server)
    running = proxy(**flags)
    good = server.key_file.read_bytes()
    replace(server.key_file, authority.own.key_file.read_bytes())
    eventually(lambda: metric(running, "fodc_proxy_config_last_reload_successful", file="grpc-tls") == 0, "it is told", PATIENCE)
    assert "changed files cannot be used" in running.output()
    assert "--grpc-tls-key-file" in running.output() and "does not belong to the certificate" in running.output()
    agents(running, "a", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
    # A reload with them is refused, and the old workers stay.
    before = [w["pid"] for w in running.workers("ingest")]
    Control(running.folder / "runtime").refused("reload", *flags_of(running, flags))
    assert [w["pid"] for w in running.workers("ingest")] == before
    replace(server.key_file, good)
    eventually(lambda: metric(running, "fodc_proxy_config_last_reload_successful", file="grpc-tls") == 1, "it is right again", PATIENCE)


def test_grpc_tls_comes_and_goes_by_reload(proxy, agents, authority, server):
    running = proxy(ingest_workers=2)
    control = Control(running.folder / "runtime")
    agent = agents(running, "old").keep_connected()
    agent.samples = [agent.sample("value", 1)]
    flags = tls_flags(server)
    control.done("reload", *flags_of(running, flags, ingest_workers=2))
    secure = agents(running, "new", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority)).keep_connected()
    secure.samples = [secure.sample("value", 2)]
    running.wait_agents(online=2)
    # The same once more: workers are replaced, the sockets are the same, agents come back.
    control.done("reload", *flags_of(running, flags, ingest_workers=2))
    running.wait_agents(online=2)
    eventually(lambda: len(running.scrape().named("value")) == 2, "both answer")
    control.done("reload", *flags_of(running, flags, ingest_workers=2, grpc_listen_addr="none"))
    assert control.status()["grpc_address"] == "none"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.grpc_port), timeout=5)
    agent.close()
    running.wait_agents(online=1)
    refused = control.refused("reload", *flags_of(running, {}, grpc_listen_addr=flags["grpc_tls_listen_addr"], ingest_workers=2))
    assert "cannot take the port of --grpc-tls-listen-addr" in refused
    control.done("reload", *flags_of(running, {}, ingest_workers=2))
    assert control.status()["grpc_tls_address"] is None
    secure.close()
    agents(running, "plain again")


def test_grpc_tls_does_not_start_with_bad_files(proxy, authority, server, tmp_path):
    flags = tls_flags(server, authority, "require") | {"grpc_tls_client_ca_file": tmp_path / "missing.crt"}
    running = proxy(wait=False, **flags)
    eventually(lambda: "missing.crt cannot be read: No such file" in running.output(), "the reason is in the log")
    assert "--grpc-tls-client-ca-file" in running.output()
    assert running.wait(PATIENCE) == 1


# MARK: Strangers


def test_grpc_allow_list_keeps_other_addresses_out(proxy, agents, authority, server):
    flags = tls_flags(server, grpc_allow_from="127.0.0.1,10.0.0.0/8", ingest_workers=1)
    running = proxy(**flags)
    agents(running, "a")
    agents(running, "b", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
    for address in (running.address, flags["grpc_tls_listen_addr"]):
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10, source_address=("127.0.0.2", 0)) as stranger:
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b"", "closed without an answer"
    eventually(lambda: metric(running, "fodc_proxy_auth_failures_total", listener="grpc", reason="address") == 2, "both are counted")
    assert running.output().count("--grpc-allow-from does not name it") == 1


def test_grpc_handshakes_of_strangers_do_not_keep_agents_out(proxy, agents, authority, server):
    """Hundreds that begin a handshake and say no more, from one address: agents from others come in as ever."""
    flags = tls_flags(server, ingest_workers=1)
    running = proxy(**flags)
    host, port = flags["grpc_tls_listen_addr"].split(":")
    strangers = []
    try:
        for n in range(UNDER_WAY + 300):
            one = socket.create_connection((host, int(port)), timeout=10, source_address=("127.0.0.66", 0))
            one.sendall(b"\x16\x03\x01\x02\x00\x01" if n % 2 else b"")
            strangers.append(one)
        for n in range(5):
            agent = agents(running, f"pod-{n}", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
            agent.samples = [agent.sample("value", n)]
        assert len(running.scrape().named("value")) == 5
        eventually(lambda: handshake_failures(running).get("crowded_out", 0) >= 300, "the oldest are closed")
        assert metric(running, "fodc_proxy_grpc_connections") >= UNDER_WAY, "they count as taken"
        # More than a source may begin: closed at once.
        for _ in range(BURST):
            with contextlib.suppress(OSError):
                socket.create_connection((host, int(port)), timeout=10, source_address=("127.0.0.66", 0)).close()
        eventually(lambda: handshake_failures(running).get("too_many", 0) > 0, "it is refused")
        agents(running, "late", address=flags["grpc_tls_listen_addr"], credentials=credentials(authority))
        assert len(running.scrape().named("value")) == 5
    finally:
        for one in strangers:
            one.close()


# MARK: Agents that have no TLS


@pytest.mark.skipif(not shutil.which("stunnel"), reason="needs Debian's package stunnel4")
def test_grpc_tls_stunnel_brings_agents_that_have_none(proxy, agents, authority, server, tmp_path, programs):
    flags = tls_flags(server, authority, "require", grpc_listen_addr="none", grpc_agent_identity=PATTERN)
    running = proxy(**flags)
    client = pod_certificate(authority, "data-0")
    port = free_port()
    configuration = tmp_path / "stunnel.conf"
    configuration.write_text(
        f"foreground = yes\npid =\n[fodc]\nclient = yes\naccept = 127.0.0.1:{port}\nconnect = {flags['grpc_tls_listen_addr']}\n"
        f"CAfile = {authority.crt}\nverifyChain = yes\ncheckIP = 127.0.0.1\ncert = {client.crt}\nkey = {client.key_file}\n")
    programs.append(Program(["stunnel", str(configuration)], tmp_path / "stunnel.log"))
    eventually(lambda: is_listening(port), "stunnel listens")
    agent = agents(running, "data-0", address=f"127.0.0.1:{port}")
    agent.samples = [agent.sample("value", 1)]
    assert running.scrape().named("value")
    assert refusal(agents(running, "data-1", address=f"127.0.0.1:{port}", start=False))[0] == grpc.StatusCode.PERMISSION_DENIED


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
