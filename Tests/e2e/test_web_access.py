# SPDX-License-Identifier: Apache-2.0
"""TLS, credentials and allow lists of the HTTP port, with clients that are not ours: curl, openssl, promtool, Prometheus."""
import base64
import http.client
import json
import pathlib
import shutil
import ssl
import subprocess
import urllib.request

import pytest

from harness import certificates
from harness.ctl import Control
from harness.processes import Program, binary, free_port
from harness.waiting import eventually

PASSWORD = "U*U"
#: Of PASSWORD; the least cost, so that tests are quick.
HASH = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
USERS = f"basic_auth_users: {{prometheus: {HASH}}}\n"
#: A change is in use after 2 s; a bad one is told after 4 s.
PATIENCE = 20


def basic(password: str = PASSWORD, user: str = "prometheus") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def write(path: pathlib.Path, text: str) -> pathlib.Path:
    """As an editor or a volume of Kubernetes does it: another file in its place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)
    return path


@pytest.fixture
def authority(tmp_path):
    return certificates.Authority(tmp_path)


@pytest.fixture
def server(authority):
    return authority.sign("server", "localhost", "127.0.0.1")


def tls_config(**more) -> str:
    lines = {"cert_file": "server.crt", "key_file": "server.key"} | more
    return "tls_server_config:\n" + "".join(f"  {k}: {v}\n" for k, v in lines.items())


def context(authority, client=None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.crt))
    if client:
        made.load_cert_chain(client.crt, client.key_file)
    return made


def curl(*arguments) -> tuple[int, str]:
    """Its exit code, and what it printed: the status, or what --write-out says."""
    ended = subprocess.run(["curl", "-sS", "-m", "20", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


def status(running, path="/metrics", *arguments) -> int:
    """Of curl's answer over TLS; 0: there was none."""
    code, told = curl("-o", "/dev/null", "-w", "%{http_code}", *arguments, f"https://localhost:{running.http_port}{path}")
    return int(told[:3]) if code == 0 else 0


def metric(running, name: str, **labels) -> float | None:
    found = running.scrape().named(name)
    matching = [v for k, v in found.items() if labels.items() <= dict(k).items()]
    return sum(matching) if matching else None


def flags_of(running, **changed) -> list[str]:
    """The listeners' flags as they are, which a reload needs, and others."""
    flags = {"grpc_listen_addr": running.address, "http_listen_addr": f"127.0.0.1:{running.http_port}",
             "state_dir": running.folder / "state", "runtime_dir": running.folder / "runtime"} | changed
    return [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]


# MARK: TLS


def test_web_tls_serves_only_https(proxy, agents, authority, server, tmp_path):
    config = write(tmp_path / "web.yml", tls_config() + "http_server_config: {headers: {X-Frame-Options: deny}}\n")
    running = proxy(web_config_file=config, tls=context(authority))
    agent = agents(running, "pod-a")
    agent.samples = [agent.sample("big", float(n), n=str(n)) for n in range(20_000)]
    assert len(running.scrape().named("big")) == 20_000
    assert status(running, "/metrics", "--cacert", authority.crt) == 200
    assert curl("--cacert", authority.crt, "-o", "/dev/null", "-w", "%{http_version} %{ssl_verify_result} %header{x-frame-options}",
                f"https://127.0.0.1:{running.http_port}/health")[1] == "1.1 0 deny"
    assert status(running) == 0, "curl must reject the certificate of an unknown authority"
    code, told = curl("-i", f"http://localhost:{running.http_port}/metrics")
    assert "400" in told and "https://" in told
    assert metric(running, "fodc_proxy_certificate_expiry_timestamp_seconds", listener="http") == server.expires_at
    assert metric(running, "fodc_proxy_tls_handshake_failures_total", reason="not_tls") == 1
    assert metric(running, "fodc_proxy_tls_handshakes_total") > 3


@pytest.mark.parametrize("keep_alive", [True, False])
def test_web_tls_completes_large_answers(proxy, agents, authority, server, tmp_path, keep_alive):
    running = proxy(web_config_file=write(tmp_path / "web.yml", tls_config()), tls=context(authority))
    agent = agents(running, "pod-a")
    agent.samples = [agent.sample("big_series_with_a_long_name", float(n), n=str(n), text="x" * 100) for n in range(40_000)]
    connection = http.client.HTTPSConnection("127.0.0.1", running.http_port, context=context(authority), timeout=60)
    for _ in range(3):
        connection.request("GET", "/metrics", headers={} if keep_alive else {"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and body.count(b"\nbig_series_with_a_long_name{") == 40_000
    connection.close()


@pytest.mark.parametrize("version, flag, works", [("TLS12", "-tls1_2", True), ("TLS12", "-tls1_3", True), ("TLS13", "-tls1_2", False),
                                                  ("TLS13", "-tls1_3", True), ("TLS12", "-tls1_1", False)])
def test_web_tls_versions(proxy, authority, server, tmp_path, version, flag, works):
    running = proxy(web_config_file=write(tmp_path / "web.yml", tls_config(min_version=version)), tls=context(authority))
    told = s_client(running, authority, flag)
    # It says "Verify return code: 0 (ok)" also where no certificate came.
    assert ("Verification: OK" in told and "Cipher is (NONE)" not in told and "no peer certificate" not in told) == works, told
    assert (metric(running, "fodc_proxy_tls_handshake_failures_total", reason="version") == 1) == (not works)


def s_client(running, authority, *flags) -> str:
    ended = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{running.http_port}", "-CAfile", authority.crt, *flags],
        input="", capture_output=True, text=True, timeout=60)
    return ended.stdout + ended.stderr


def test_web_tls_ciphers_and_curves(proxy, authority, server, tmp_path):
    running = proxy(
        web_config_file=write(tmp_path / "web.yml", tls_config(
            max_version="TLS12", cipher_suites="[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", curve_preferences="[CurveP384]")),
        tls=context(authority))
    told = s_client(running, authority)
    assert "ECDHE-ECDSA-AES256-GCM-SHA384" in told and "secp384r1" in told.lower().replace("p-384", "secp384r1"), told
    assert "ECDHE-ECDSA-AES128" not in s_client(running, authority, "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert "Cipher is (NONE)" in s_client(running, authority, "-curves", "X25519")
    assert metric(running, "fodc_proxy_tls_handshake_failures_total", reason="cipher") == 2


@pytest.mark.parametrize("policy, without, stranger, expired", [
    ("NoClientCert", 200, 200, 200), ("RequestClientCert", 200, 200, 200), ("RequireAnyClientCert", 0, 200, 200),
    ("VerifyClientCertIfGiven", 200, 0, 0), ("RequireAndVerifyClientCert", 0, 0, 0)])
def test_web_tls_client_certificates(proxy, authority, server, tmp_path, policy, without, stranger, expired):
    known = authority.sign("client", "prometheus.example")
    old = authority.sign("old", "prometheus.example", days=-1)
    other = certificates.Authority(tmp_path, "other").sign("stranger", "prometheus.example")
    more = {"client_ca_file": "authority.crt"} if "Verify" in policy else {}
    running = proxy(
        web_config_file=write(tmp_path / "web.yml", tls_config(client_auth_type=policy, **more)), tls=context(authority, known))
    base = ["--cacert", authority.crt]
    assert status(running, "/metrics", *base) == without
    assert status(running, "/metrics", *base, "--cert", known.crt, "--key", known.key_file) == 200
    assert status(running, "/metrics", *base, "--cert", other.crt, "--key", other.key_file) == stranger
    assert status(running, "/metrics", *base, "--cert", old.crt, "--key", old.key_file) == expired
    failures = {r: metric(running, "fodc_proxy_tls_handshake_failures_total", reason=r) for r in ("no_certificate", "bad_certificate")}
    assert failures == {"no_certificate": int(without == 0), "bad_certificate": [200, stranger, expired].count(0)}


@pytest.mark.parametrize("names, works", [("[prometheus.example]", True), ("[10.1.2.3]", True), ("[spiffe://cluster.local/prometheus]", True),
                                          ("[ops@example.org]", True), ("[other.example, client]", False)])
def test_web_tls_allowed_names(proxy, authority, server, tmp_path, names, works):
    known = authority.sign("client", "prometheus.example", "10.1.2.3", "spiffe://cluster.local/prometheus", "ops@example.org")
    friend = authority.sign("friend", "other.example")
    allowed = json.dumps([name.strip() for name in names[1:-1].split(",")] + ["other.example"])
    running = proxy(
        web_config_file=write(tmp_path / "web.yml", tls_config(
            client_auth_type="RequireAndVerifyClientCert", client_ca_file="authority.crt",
            client_allowed_sans=allowed)),
        tls=context(authority, friend))
    assert status(running, "/metrics", "--cacert", authority.crt, "--cert", known.crt, "--key", known.key_file) == (200 if works else 0)
    assert metric(running, "fodc_proxy_tls_handshake_failures_total", reason="name_not_allowed") == int(not works)


# MARK: Files that change


def test_web_certificate_is_renewed_without_losing_a_connection(proxy, authority, server, tmp_path):
    running = proxy(web_config_file=write(tmp_path / "web.yml", tls_config()), tls=context(authority))

    def serial() -> int:
        told = s_client(running, authority, "-showcerts")
        pem = told[told.index("-----BEGIN CERTIFICATE-----"):told.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
        return certificates.x509.load_pem_x509_certificate(pem.encode()).serial_number

    assert serial() == server.serial
    kept = http.client.HTTPSConnection("127.0.0.1", running.http_port, context=context(authority), timeout=30)
    kept.request("GET", "/health")
    assert kept.getresponse().read()
    socket = kept.sock
    renewed = authority.sign("server", "localhost", "127.0.0.1", days=90)
    eventually(lambda: serial() == renewed.serial, "the renewed certificate is used", PATIENCE)
    kept.request("GET", "/health")
    assert kept.getresponse().status == 200 and kept.sock is socket
    assert metric(running, "fodc_proxy_certificate_expiry_timestamp_seconds") == renewed.expires_at
    assert metric(running, "fodc_proxy_config_last_reload_successful", file="web-config") == 1


@pytest.mark.parametrize("spoil", ["certificate", "key", "configuration", "missing"])
def test_web_invalid_file_keeps_the_old_values(proxy, authority, server, tmp_path, spoil):
    config = write(tmp_path / "web.yml", tls_config() + USERS)
    running = proxy(web_config_file=config, tls=context(authority), authorization=basic())
    good = {path: path.read_text() for path in (config, server.crt, server.key_file)}
    if spoil == "certificate":
        write(server.crt, good[server.crt][: len(good[server.crt]) // 2])
    elif spoil == "key":
        write(server.key_file, authority.own.key_file.read_text())
    elif spoil == "configuration":
        write(config, tls_config(max_version="TLS14") + USERS)
    else:
        server.crt.unlink()
    eventually(lambda: metric(running, "fodc_proxy_config_last_reload_successful", file="web-config") == 0, "the metric shows the failure", PATIENCE)
    assert status(running, "/metrics", "--cacert", authority.crt, "-u", f"prometheus:{PASSWORD}") == 200
    log = running.output()
    assert "changed files cannot be used" in log
    assert {"certificate": "server.crt", "key": "does not belong", "configuration": "max_version: must be one of", "missing": "No such file"}[spoil] in log
    for path, text in good.items():
        write(path, text)
    eventually(lambda: metric(running, "fodc_proxy_config_last_reload_successful", file="web-config") == 1, "the metric shows success", PATIENCE)


def test_web_users_and_tokens_change_without_a_restart(proxy, tmp_path):
    config, tokens = tmp_path / "web.yml", tmp_path / "tokens.yml"
    write(config, USERS)
    write(tokens, "[]\n")
    running = proxy(web_config_file=config, http_tokens_file=tokens, authorization=basic())
    token, line = new_token("later", "--scope", "metrics")
    plain = lambda a: running.web.get("/metrics", {"Authorization": a}).status  # noqa: E731
    assert plain(f"Bearer {token}") == 401
    write(tokens, line)
    eventually(lambda: plain(f"Bearer {token}") == 200, "the token counts", PATIENCE)
    write(config, USERS.replace("prometheus", "somebody"))
    eventually(lambda: plain(basic()) == 401, "the user is gone", PATIENCE)
    assert plain(basic(user="somebody")) == 200
    write(tokens, "- {name: broken}\n")
    running.web.authorization = basic(user="somebody")
    eventually(lambda: metric(running, "fodc_proxy_config_last_reload_successful", file="http-tokens") == 0, "the metric shows the failure", PATIENCE)
    assert plain(f"Bearer {token}") == 200
    assert metric(running, "fodc_proxy_config_last_reload_successful", file="web-config") == 1


def test_web_bad_configuration_fails_the_start(proxy, tmp_path):
    config = write(tmp_path / "web.yml", "basic_auth_users: {prometheus: plain}\n")
    running = proxy(wait=False, web_config_file=config)
    eventually(lambda: "must be a bcrypt hash" in running.output(), "the reason is in the log")
    assert f"{config}, line 1: basic_auth_users.prometheus" in running.output()
    with pytest.raises(OSError):
        running.web.get("/metrics", timeout=1)
    assert running.wait(PATIENCE) == 1
    # Before anything was started: one line, with the place and the remedy.
    assert running.output().count("must be a bcrypt hash") == 1 and "exporter" not in running.output()
    write(config, USERS)
    proxy(web_config_file=config, authorization=basic())


def test_web_bad_configuration_fails_the_reload(proxy, tmp_path):
    config = write(tmp_path / "web.yml", USERS)
    running = proxy(web_config_file=config, authorization=basic())
    bad = write(tmp_path / "bad.yml", "basic_auth_users: {prometheus: plain}\n")
    before = running.workers("exporter")[0]["pid"]
    Control(tmp_path / "runtime").refused("reload", *flags_of(running, web_config_file=bad))
    assert running.workers("exporter")[0]["pid"] == before
    assert "must be a bcrypt hash" in running.output()
    assert running.web.get("/metrics").status == 200 and running.web.get("/metrics", {"Authorization": "x"}).status == 401


# MARK: Who may ask


def new_token(name: str, *arguments) -> tuple[str, str]:
    """A token and its line for the file."""
    told = subprocess.run([binary("fodc-proxy"), "ctl", "new-token", name, *arguments], capture_output=True, text=True, check=True)
    lines = [line for line in told.stdout.splitlines() if not line.startswith("#")]
    assert len(lines) == 2 and lines[0].startswith("fodc_")
    return lines[0], lines[1] + "\n"


def test_web_tokens_are_limited_to_their_scopes(proxy, agents, tmp_path):
    # Narrow first: of the refusals, the log has the first five at once and counts the others.
    made = {"narrow": new_token("narrow", "--scope", "read", "--scope", "metrics", "--path", "/cluster/*")}
    made |= {scope: new_token(scope, "--scope", scope) for scope in ("metrics", "read", "profiles")}
    tokens = write(tmp_path / "tokens.yml", "".join(line for _, line in made.values()))
    running = proxy(http_tokens_file=tokens, authorization=f"Bearer {made['metrics'][0]}")
    agents(running, "pod-a")
    paths = {"metrics": ["/metrics", "/metrics-windows"], "read": ["/cluster", "/cluster/topology", "/cluster/config"],
             "profiles": ["/diagnostics", "/pressure-profiles"]}
    for name in made:
        for scope, asked in paths.items():
            for path in asked:
                allowed = name == scope or name == "narrow" and path.startswith("/cluster/")
                answer = running.web.get(path, {"Authorization": f"Bearer {made[name][0]}"})
                assert answer.status == (200 if allowed else 403), (name, path)
    for path in ["/metrics", "/", "/openapi.yaml", "/nothing"]:
        answer = running.web.get(path, {"Authorization": "Bearer fodc_" + "0" * 64})
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == 'Bearer realm="fodc-proxy"'
    assert metric(running, "fodc_proxy_auth_failures_total", reason="unknown_token") == 4
    log = running.output()
    assert "token narrow" in log and not any(token in log for token, _ in made.values())


def test_web_tokens_for_what_is_recorded(proxy, agents, tmp_path):
    """History needs `read`; a bundle holds crash stacks and profiles, and needs both scopes, however its path is written."""
    scopes = {"metrics": ["metrics"], "read": ["read"], "profiles": ["profiles"], "both": ["read", "profiles"],
              "all": ["metrics", "read", "profiles"]}
    made = {name: new_token(name, *(f"--scope={scope}" for scope in wanted)) for name, wanted in scopes.items()}
    tokens = write(tmp_path / "tokens.yml", "".join(line for _, line in made.values()))
    running = proxy(http_tokens_file=tokens, authorization=f"Bearer {made['all'][0]}", record_interval="1s", stale_grace="1s")
    agent = agents(running, "pod-a")
    eventually(lambda: running.web.get("/black-box/pod-a/summary").status == 200, "the node is recorded")
    agent.close()
    (incident,) = eventually(lambda: running.web.get("/incidents", kind="node-gone").json()["incidents"], "an incident")[:1]
    one = f"/incidents/{incident['id']}"
    needed = {
        "/black-box": {"read"}, "/black-box/pod-a": {"read"}, "/black-box/pod-a/summary": {"read"}, "/incidents": {"read"},
        one: {"read"}, f"{one}/bundle": {"read", "profiles"}, "/diagnostics?include=gone": {"profiles"}, "/pressure-profiles": {"profiles"}}
    for name, has in scopes.items():
        for path, needs in needed.items():
            answer = running.web.get(path, {"Authorization": f"Bearer {made[name][0]}"})
            assert answer.status == (200 if needs <= set(has) else 403), (name, path, answer.text[:200])
    for path in (f"{one}/bundle/", f"{one}//bundle", f"/{one}/bundle", f"{one}/%62undle", f"{one}%2Fbundle", f"{one}/./bundle",
                 f"{one}/bundle?x=/", f"{one}/bundle;x", f"{one}/bundle%00", f"{one}/BUNDLE"):
        answer = running.web.get(path, {"Authorization": f"Bearer {made['read'][0]}"})
        assert answer.status in (400, 403, 404), (path, answer.status)


def test_web_health_needs_no_credentials(proxy, tmp_path):
    config = write(tmp_path / "web.yml", USERS)
    running = proxy(web_config_file=config, authorization=basic())
    assert "workers" in running.health()
    for authorization in ({}, {"Authorization": basic("wrong")}):
        answer = urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{running.http_port}/health", headers=authorization))
        assert json.load(answer) == {"status": "healthy"}
        for path in ("/-/healthy", "/-/ready"):
            answer = urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{running.http_port}{path}", headers=authorization))
            assert answer.status == 200
    closed = proxy(web_config_file=config, authorization=basic(), health_requires_auth="true")
    assert curl("-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{closed.http_port}/health")[1] == "401"


def test_web_wrong_passwords_do_not_lock_out_correct_ones(proxy, tmp_path):
    running = proxy(web_config_file=write(tmp_path / "web.yml", USERS), authorization=basic())
    running.scrape()
    statuses = [running.web.get("/metrics", {"Authorization": basic(f"wrong{n}")}).status for n in range(50)]
    assert statuses[:4] == [401] * 4 and set(statuses[5:]) <= {429}
    assert running.scrape()
    # Other addresses are others.
    code, told = curl("--interface", "127.0.0.9", "-o", "/dev/null", "-w", "%{http_code}", "-u", "prometheus:wrong", f"http://127.0.0.1:{running.http_port}/metrics")
    assert told == "401"


def test_web_secrets_appear_in_no_output(proxy, authority, server, tmp_path):
    token, line = new_token("secret", "--scope", "metrics")
    tokens = write(tmp_path / "tokens.yml", line)
    running = proxy(web_config_file=write(tmp_path / "web.yml", tls_config() + USERS), http_tokens_file=tokens, tls=context(authority), authorization=basic())
    running.web.get("/metrics", {"Authorization": f"Bearer {token}"})
    running.web.get("/metrics", {"Authorization": basic("a wrong password")})
    key = server.key_file.read_text().splitlines()[1]
    secrets = [PASSWORD, HASH, token, "a wrong password", key, base64.b64encode(f"prometheus:{PASSWORD}".encode()).decode()]
    told = running.output() + running.web.get("/cluster/config").text + running.web.get("/metrics").text + running.web.get("/health").text
    for process in [running.pid] + [w["pid"] for w in running.workers()]:
        told += pathlib.Path(f"/proc/{process}/cmdline").read_text() + pathlib.Path(f"/proc/{process}/environ").read_text()
    assert not [secret for secret in secrets if secret in told]


def test_web_allow_list_keeps_other_addresses_out(proxy, tmp_path):
    running = proxy(http_allow_from="127.0.0.1,10.0.0.0/8")
    address = f"http://127.0.0.1:{running.http_port}/metrics"
    assert curl("-o", "/dev/null", "-w", "%{http_code}", address)[1] == "200"
    code, _ = curl("--interface", "127.0.0.2", "-o", "/dev/null", address)
    assert code in (52, 56), "the connection must be closed without an answer"
    assert metric(running, "fodc_proxy_auth_failures_total", reason="address") == 1
    assert "--http-allow-from does not name it" in running.output()


def test_web_new_token_reports_invalid_usage():
    for arguments, reason in [(["a b", "--scope", "read"], "is no name for a token"), (["a"], "--scope is missing"),
                              (["a", "--scope", "all"], "there are metrics, read, profiles"), (["a", "--scope", "read", "--path", "x"], "no path")]:
        ended = subprocess.run([binary("fodc-proxy"), "ctl", "new-token", *arguments], capture_output=True, text=True)
        assert ended.returncode == 2 and reason in ended.stderr and not ended.stdout, (arguments, ended)


# MARK: promtool, Prometheus


GOOD = [
    "{}\n", tls_config(), tls_config(min_version="TLS13"), tls_config(client_auth_type="RequireAndVerifyClientCert", client_ca_file="authority.crt"),
    tls_config(cipher_suites="[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]", curve_preferences="[CurveP256, X25519]"),
    tls_config(prefer_server_cipher_suites="false", max_version="TLS12"), USERS, tls_config() + USERS,
    "http_server_config: {http2: false, headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=1}}\n",
]
BAD = [
    "basic_auth_users: {a: plain}\n", "unknown: 1\n", tls_config(cert_file="missing.crt"), tls_config(min_version="TLS14"), tls_config(key_file="authority.key"),
    tls_config(client_auth_type="Sometimes"), tls_config(client_ca_file="authority.crt"), tls_config(cipher_suites="[NONE]"),
    tls_config(curve_preferences="[X448]"), "http_server_config: {headers: {Server: x}}\n", "http_server_config: {headers: {X-Frame-Options: x}}\n",
    "tls_server_config: {cert_file: server.crt}\n", "basic_auth_users: [\n",
]


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs Debian's package prometheus")
@pytest.mark.parametrize("good", [True, False])
def test_web_configuration_is_accepted_by_promtool(authority, server, tmp_path, good):
    """Every file that our tests serve with is a file to promtool as well; and what it refuses is refused."""
    for text in GOOD if good else BAD:
        config = write(tmp_path / "web.yml", text)
        ended = subprocess.run(["promtool", "check", "web-config", config], capture_output=True, text=True)
        assert (ended.returncode == 0) == good, (text, ended.stdout + ended.stderr)


def test_web_bad_files_are_refused_at_the_start(proxy, authority, server, tmp_path):
    for number, text in enumerate(BAD):
        (tmp_path / str(number)).mkdir()
        config = write(tmp_path / "web.yml", text)
        running = proxy(wait=False, web_config_file=config)
        assert running.wait(PATIENCE) == 1, text
        assert str(tmp_path) in running.output()
        running.destroy()


JOBS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: basic
    scheme: https
    tls_config: {{ca_file: {ca}, server_name: localhost}}
    basic_auth: {{username: prometheus, password: "{password}"}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: bearer
    scheme: https
    tls_config: {{ca_file: {ca}, server_name: localhost, cert_file: {client}, key_file: {key}}}
    authorization: {{credentials_file: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: wrong
    scheme: https
    tls_config: {{ca_file: {ca}, server_name: localhost}}
    authorization: {{credentials: fodc_wrong}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: stranger
    scheme: https
    tls_config: {{ca_file: {ca}, server_name: localhost, cert_file: {stranger}, key_file: {stranger_key}}}
    basic_auth: {{username: prometheus, password: "{password}"}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: plain
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.mark.skipif(not shutil.which("prometheus"), reason="needs Debian's package prometheus")
def test_web_access_works_with_prometheus(proxy, agents, programs, authority, server, tmp_path):
    client = authority.sign("client", "prometheus.example")
    stranger = certificates.Authority(tmp_path, "other").sign("stranger", "prometheus.example")
    token, line = new_token("prometheus", "--scope", "metrics")
    (tmp_path / "token").write_text(token + "\n")
    tokens = write(tmp_path / "tokens.yml", line)
    config = write(tmp_path / "web.yml", tls_config(client_auth_type="VerifyClientCertIfGiven", client_ca_file="authority.crt") + USERS)
    running = proxy(web_config_file=config, http_tokens_file=tokens, tls=context(authority), authorization=basic())
    agents(running, "pod-a")
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(JOBS.format(
        ca=authority.crt, password=PASSWORD, port=running.http_port, client=client.crt, key=client.key_file, token=tmp_path / "token",
        stranger=stranger.crt, stranger_key=stranger.key_file))
    programs.append(Program(
        ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], tmp_path / "prometheus.log"))

    def health() -> dict:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=5) as answer:
                targets = json.load(answer)["data"]["activeTargets"]
        except OSError:
            return {}
        return {t["labels"]["job"]: (t["health"], t["lastError"]) for t in targets}

    def settled():
        found = health()
        return len(found) == 5 and all(state != "unknown" for state, _ in found.values()) and found

    found = eventually(settled, "all targets were scraped", 60)
    assert {job: state for job, (state, _) in found.items()} == {
        "basic": "up", "bearer": "up", "wrong": "down", "stranger": "down", "plain": "down"}, found
    assert "401" in found["wrong"][1] and "400" in found["plain"][1]
