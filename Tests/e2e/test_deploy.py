# SPDX-License-Identifier: Apache-2.0
"""The contents of deploy/ are right, and agree with the programs' own help. (test_package.py installs it.)"""
import functools
import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from harness.processes import BIN, binary, run_to_end

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SYSTEMD = DEPLOY / "systemd"
PROMETHEUS = DEPLOY / "prometheus"
KUBERNETES = DEPLOY / "kubernetes"
PERSISTENT = DEPLOY / "kubernetes-persistent"
UNITS = ["fodc-proxy.service", "fodc-proxy-grpc.socket", "fodc-proxy-grpctls.socket", "fodc-proxy-http.socket"]
#: systemd's own measure of what a service could do, 0 to 10.
MOST_EXPOSURE = 1.5


def tool(*arguments, **options) -> str:
    ended = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=60, **options)
    assert ended.returncode == 0, f"{arguments}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


@functools.cache
def help_of(program: str, *sub: str) -> str:
    ended = run_to_end([binary(program), *sub, "--help"])
    assert ended.returncode == 0
    return ended.stdout


def flags_of(help_text: str) -> dict[str, str]:
    """Each flag with its text, on one line."""
    found = re.findall(r"^  (?:-\w, )?(--[a-z-]+)(.*(?:\n {10,}\S.*)*)", help_text, re.MULTILINE)
    return {flag: " ".join(text.split()) for flag, text in found}


def proxy_flags() -> dict[str, str]:
    return {flag: text for flag, text in flags_of(help_of("fodc-proxy")).items() if flag not in ("--help", "--version", "--check", "--env-file")}


# MARK: systemd


def entries(unit: str) -> list[tuple[str, str, str]]:
    """Section, name and value of each line; names may come several times."""
    section, found = "", []
    for line in (SYSTEMD / unit).read_text().splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.append((section, name, value))
    return found


def test_unit_has_the_settings_that_reliability_needs():
    found = {(section, name): value for section, name, value in entries("fodc-proxy.service")}
    wanted = {
        ("Unit", "StartLimitIntervalSec"): "0", ("Service", "Type"): "notify", ("Service", "NotifyAccess"): "main",
        ("Service", "Restart"): "on-failure", ("Service", "RestartPreventExitStatus"): "2",
        ("Service", "RestartSec"): "100ms", ("Service", "ExecStart"): "/usr/sbin/fodc-proxy",
        ("Service", "ExecReload"): "/usr/sbin/fodc-proxy ctl reload", ("Service", "OOMPolicy"): "continue",
        ("Service", "RuntimeDirectoryPreserve"): "restart", ("Service", "KillMode"): "mixed",
    }
    assert {k: found.get(k) for k in wanted} == wanted
    for name in ["WatchdogSec", "TimeoutStopSec", "LimitNOFILE", "LimitCORE", "TasksMax", "MemoryMax", "StateDirectory",
                 "CacheDirectory", "RuntimeDirectory"]:
        assert found.get(("Service", name)), name
    # Three rings for each of 64 workers, twice while they are replaced.
    assert int(found["Service", "FileDescriptorStoreMax"]) >= 2 * 3 * 64


@pytest.mark.parametrize("kind, port", [("grpc", "17912"), ("grpctls", "17914"), ("http", "17913")])
def test_unit_of_a_socket_passes_the_listening_socket(kind, port):
    found = {(section, name): value for section, name, value in entries(f"fodc-proxy-{kind}.socket")}
    assert found["Socket", "FileDescriptorName"] == kind
    assert found["Socket", "Service"] == found["Unit", "PartOf"] == "fodc-proxy.service"
    assert found["Socket", "ListenStream"] == port
    if kind == "grpctls":  # there is no TLS by default: the environment file's example has its port
        assert f"such as :{port}" in (SYSTEMD / "fodc-proxy.default").read_text()
    else:
        assert f"Default :{port}" in proxy_flags()[f"--{kind}-listen-addr"]
    assert int(found["Socket", "Backlog"]) >= 4096


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_units_pass_systemd_analyze_verify(tmp_path):
    for unit in UNITS:
        # The package is not installed here, so the program is where it was built.
        text = (SYSTEMD / unit).read_text().replace("/usr/sbin/fodc-proxy", str(BIN.resolve() / "fodc-proxy"))
        (tmp_path / unit).write_text(text)
    told = tool("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(tmp_path / u for u in UNITS))
    assert "fodc-proxy" not in told, told


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_unit_has_few_privileges():
    told = tool("systemd-analyze", "security", "--offline=true", "--no-pager", SYSTEMD / "fodc-proxy.service")
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", told)[1])
    assert level <= MOST_EXPOSURE, told


# MARK: Flags: the environment file, manual pages, completion


def environment_file() -> dict[str, str]:
    lines = (SYSTEMD / "fodc-proxy.default").read_text().splitlines()
    assert all(not line or line.startswith("#") for line in lines), "the environment file must not set any value"
    return dict(line[1:].split("=", 1) for line in lines if re.match(r"#FODC_\w+=", line))


def test_environment_file_has_every_flag_with_its_default():
    flags = {"FODC_" + flag[2:].replace("-", "_").upper(): text for flag, text in proxy_flags().items()}
    variables = environment_file()
    assert list(variables) == sorted(variables, key=list(variables).index) and variables.keys() == flags.keys()
    for name, value in variables.items():
        if name.endswith("_DIR"):
            # The value that systemd makes of the unit's settings.
            assert value in ("/var/lib/fodc-proxy", "/run/fodc-proxy", "/var/cache/fodc-proxy")
        elif not value:
            # A default that is no value: the help says it in words.
            assert re.search(r"[Dd]efault (none|anywhere|half of --max-agents)\b", flags[name]), (name, flags[name])
        else:
            assert re.search(rf"[Dd]efault.*(?<![\w.]){re.escape(value)}(?![\w.])", flags[name]), (name, value, flags[name])


def test_environment_file_has_only_flags():
    """None that is defined is missing in the table."""
    source = (ROOT / "Sources/Settings/Flags/SettingsFlag+table.swift").read_text()
    assert {"--" + name for name in re.findall(r'SettingsFlag\(\s*"([a-z-]+)"', source)} == proxy_flags().keys()


def test_readme_has_every_flag_with_its_default():
    rows = [line.split("|")[1:3] for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `--")]
    told = {flag: default for names, default in rows for flag in re.findall(r"--[a-z-]+", names)}
    assert told.keys() == proxy_flags().keys()
    for name, value in environment_file().items():
        default = told["--" + name.removeprefix("FODC_").replace("_", "-").lower()]
        # Of flags whose default follows from something else the README says that.
        if re.fullmatch(r" `[^`$]+` ", default):
            assert default == f" `{value}` ", name


def test_manual_page_has_the_same_defaults_and_limits():
    """Each number of the help is in the flag's paragraph."""
    page = (DEPLOY / "man" / "fodc-proxy.8").read_text().replace("\\-", "-")
    paragraphs = {p.split("\n", 1)[0].split('"')[0].split()[-1]: p for p in page.split("\n.TP\n") if p.startswith(".BI --")}
    for flag, text in proxy_flags().items():
        numbers = re.findall(r"(?<![\w.:])\d+(?:\.\d+)?(?:[a-z]\b|[KMG]iB)?", text)
        missing = [n for n in numbers if not re.search(rf"(?<![\w.]){re.escape(n)}(?!\w)", paragraphs[flag])]
        assert not missing, (flag, missing)


def test_completion_offers_the_values_of_flags():
    text = proxy_flags()
    assert set(completed("fodc-proxy", "--log-level", "=", "")) == set(re.search(r"log: ([a-z, ]+)\.", text["--log-level"])[1].split(", "))
    assert completed("fodc-proxy", "--log-format", "=", "") == re.search(r"lines: (\w+) or (\w+)", text["--log-format"])[0][7:].split(" or ")


def test_environment_file_explains_every_flag():
    text = (SYSTEMD / "fodc-proxy.default").read_text()
    for name in environment_file():
        paragraph = text[: text.index(f"#{name}=")].split("\n\n")[-1]
        assert len(paragraph) > 20 and all(line.startswith("# ") for line in paragraph.splitlines()), f"{name} is not explained"


BLACK_BOX = "/var/lib/fodc-black-box"

PAGES = {
    "fodc-proxy.8": [("fodc-proxy",)],
    "fodc-ring.1": [("fodc-ring", "dump")],
    "fodc-agentsim.1": [("fodc-agentsim", "run"), ("fodc-agentsim", "values")],
    "fodc-blackbox.1": [("fodc-blackbox", verb) for verb in ("list", "incidents", "show", "export", "bundle")],
}


@pytest.mark.parametrize("page", PAGES)
def test_manual_page_has_every_flag(page):
    text = (DEPLOY / "man" / page).read_text()
    told = set(re.findall(r"--[a-z][a-z-]*", text.replace("\\-", "-")))
    known = {flag for command in PAGES[page] for flag in flags_of(help_of(*command))}
    # Of ctl, and the pattern of the synopsis.
    assert known <= told and told - known <= {
        "--json", "--flag", "--check", "--scope", "--path", "--kind", "--pod", "--bundle"}, (known - told, told - known)
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"]:
        assert f".SH {section}\n" in text, section


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_manual_page_is_well_formed(page):
    assert tool("groff", "-man", "-ww", "-z", "-Tutf8", DEPLOY / "man" / page) == ""


def completed(*words: str) -> list[str]:
    script = f"""
        PATH={BIN.resolve()}:$PATH; source {DEPLOY}/completion/fodc-proxy.bash
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _fodc "$1" "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return tool("bash", "-c", script, "bash", *words).split()


def test_completion_offers_flags_and_commands():
    assert completed("fodc-proxy", "--max") == ["--max-agents", "--max-agents-per-connection", "--max-agents-per-source"]
    assert set(completed("fodc-proxy", "--")) == flags_of(help_of("fodc-proxy")).keys()
    assert "ctl" in completed("fodc-proxy", "")
    assert completed("fodc-proxy", "ctl", "relo") == ["reload"]
    assert completed("fodc-proxy", "--log-level", "=", "w") == ["warning"]
    assert completed("fodc-ring", "d") == ["dump"]
    assert "--records" in completed("fodc-ring", "dump", "4711:9", "--")
    assert completed("fodc-agentsim", "--churn") == ["--churn"]
    assert completed("fodc-agentsim", "values", "--time") == ["--time"]


# MARK: Prometheus


def alerts() -> dict[str, dict]:
    groups = yaml.safe_load((PROMETHEUS / "fodc-proxy.rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    return {rule["alert"]: rule for rule in rules}


def test_prometheus_rules_and_configuration_pass_promtool():
    tool("promtool", "check", "rules", PROMETHEUS / "fodc-proxy.rules.yml")
    tool("promtool", "check", "config", PROMETHEUS / "prometheus.yml")


def test_alerts_fire_in_the_tested_cases_only():
    tool("promtool", "test", "rules", "fodc-proxy.rules.test.yml", cwd=PROMETHEUS)


def test_alerts_are_each_tested_silent_and_firing():
    tests = yaml.safe_load((PROMETHEUS / "fodc-proxy.rules.test.yml").read_text())["tests"]
    seen = {(check["alertname"], bool(check["exp_alerts"])) for test in tests for check in test["alert_rule_test"]}
    assert seen == {(name, firing) for name in alerts() for firing in (False, True)}


def test_alerts_name_a_remedy():
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert len(rule["annotations"]["summary"]) > 20 and len(rule["annotations"]["description"]) > 60, name


def test_rules_use_existing_metrics():
    sources = "".join(p.read_text() for p in (ROOT / "Sources/ExporterCore").rglob("*.swift"))
    names = {n for rule in alerts().values() for n in re.findall(r"\b(?:fodc_proxy|banyandb_fodc)_\w+", rule["expr"])}
    exported = {re.sub(r"_bucket$", "", n) for n in names}
    assert len(exported) > 15
    assert not {n for n in exported if f'"{n}' not in sources}


def test_prometheus_configuration_finds_pods_by_their_label(tmp_path):
    """The relabelling, on pods as Kubernetes' discovery would tell them (Debian's Prometheus is built without it)."""
    config = yaml.safe_load((PROMETHEUS / "prometheus-kubernetes.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    labels = yaml.safe_load((KUBERNETES / "deployment.yaml").read_text())["spec"]["template"]["metadata"]["labels"]

    def pod(name, component, port, phase="Running"):
        meta = {"namespace": "banyandb", "pod_name": name, "pod_phase": phase, "pod_container_port_number": port,
                "pod_label_app_kubernetes_io_component": component}
        return {"targets": [f"{name}:{port}"], "labels": {f"__meta_kubernetes_{k}": v for k, v in meta.items()}}

    component = labels["app.kubernetes.io/component"]
    pods = [pod("proxy", component, "17913"), pod("proxy", component, "17912"), pod("data-0", "data", "17913"),
            pod("old", component, "17913", "Failed")]
    (tmp_path / "pods.yml").write_text(yaml.safe_dump(pods))
    job["file_sd_configs"] = [{"files": [str(tmp_path / "pods.yml")]}]
    config["rule_files"] = [str(PROMETHEUS / "fodc-proxy.rules.yml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    tool("promtool", "check", "config", tmp_path / "prometheus.yml")
    # Its output to standard error is its log; the list is complete at once, and it waits for more all the time.
    told = subprocess.run(
        ["promtool", "check", "service-discovery", "--timeout=2s", tmp_path / "prometheus.yml", job["job_name"]],
        capture_output=True, text=True, timeout=60)
    targets = json.loads(told.stdout)
    assert len(targets) == len(pods), told
    (kept,) = [t["labels"] for t in targets if t["labels"]]
    assert (kept["instance"], kept["job"]) == ("proxy:17913", "fodc-proxy")
    assert "pod_name" not in kept and "pod" not in kept


# MARK: Kubernetes and containers


def manifests() -> dict[str, dict]:
    found = [yaml.safe_load(p.read_text()) for p in sorted(KUBERNETES.glob("*.yaml"))]
    return {one["kind"]: one for one in found}


def test_manifests_are_listed_in_the_kustomization():
    listed = manifests()["Kustomization"]["resources"]
    assert set(listed) == {p.name for p in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}


def test_manifests_overlay_lies_outside_its_base():
    """kustomize refuses any other as a cycle."""
    listed = yaml.safe_load((PERSISTENT / "kustomization.yaml").read_text())
    bases = [folder for name in listed["resources"] if (folder := (PERSISTENT / name).resolve()).is_dir()]
    assert bases == [KUBERNETES.resolve()]
    assert not any(PERSISTENT.resolve().is_relative_to(base) for base in bases)
    files = {name for name in listed["resources"] if (PERSISTENT / name).is_file()} | {p["path"] for p in listed["patches"]}
    assert files == {p.name for p in PERSISTENT.glob("*.yaml")} - {"kustomization.yaml"}


@pytest.mark.skipif(not shutil.which("kubectl"), reason="there is no kubectl")
def test_manifests_with_a_claim_differ_in_volume_and_strategy():
    def rendered(folder) -> dict[tuple, dict]:
        made = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(made.stdout)}

    plain, kept = rendered(KUBERNETES), rendered(PERSISTENT)
    claim = kept.pop(("PersistentVolumeClaim", "fodc-black-box"))
    assert set(plain) == set(kept)
    spec, volumes = kept[("Deployment", "fodc-proxy")]["spec"], {}
    was = plain[("Deployment", "fodc-proxy")]["spec"]
    for one in (was, spec):
        volumes[id(one)] = {v.pop("name"): v for v in one["template"]["spec"].pop("volumes")}
    assert spec.pop("strategy") == {"type": "Recreate"} and was.pop("strategy")["type"] == "RollingUpdate"
    before, after = volumes[id(was)], volumes[id(spec)]
    assert after.pop("black-box") == {"persistentVolumeClaim": {"claimName": "fodc-black-box"}}
    assert claim["spec"]["resources"]["requests"]["storage"] == before.pop("black-box")["emptyDir"]["sizeLimit"]
    assert before == after and plain == kept


def test_manifests_agree_on_labels_and_ports():
    made = manifests()
    template = made["Deployment"]["spec"]["template"]
    (container,) = template["spec"]["containers"]
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    assert ports == {"grpc": 17912, "http": 17913}
    for name, number in ports.items():
        assert f"Default :{number}" in proxy_flags()[f"--{name}-listen-addr"]
    assert template["metadata"]["labels"]["app.kubernetes.io/component"] == "fodc-proxy"
    service = made["Service"]
    assert {p["name"]: (p["port"], p["targetPort"]) for p in service["spec"]["ports"]} == {n: (p, n) for n, p in ports.items()}
    selectors = [made["Deployment"]["spec"]["selector"]["matchLabels"], service["spec"]["selector"],
                 made["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]]
    assert all(s.items() <= template["metadata"]["labels"].items() for s in selectors)
    monitor = made["ServiceMonitor"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    drops = [r["regex"] for r in endpoint["relabelings"] if r.get("action") == "labeldrop"]
    assert any(re.fullmatch(d, "pod_name") for d in drops)


def admitted(policy: dict, source: dict, same_namespace: bool) -> set[str]:
    """The ports that a pod with these labels may connect to, by the rules of the API (networking.k8s.io/v1)."""
    def chosen(selector: dict, labels: dict) -> bool:
        if not all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()):
            return False
        for one in selector.get("matchExpressions", []):
            assert one["operator"] == "In", one
            if labels.get(one["key"]) not in one["values"]:
                return False
        return True

    ports = set()
    for rule in policy["ingress"]:
        # A rule without `from`, or with an empty one, is for everybody.
        assert rule["from"], rule
        for peer in rule["from"]:
            assert peer.keys() <= {"podSelector", "namespaceSelector"} and "podSelector" in peer, peer
            assert peer["podSelector"], f"every pod is let in: {peer}"
            if (same_namespace or peer.get("namespaceSelector") == {}) and chosen(peer["podSelector"], source):
                ports |= {p["port"] for p in rule["ports"]}
    return ports


@pytest.mark.parametrize("name, same_namespace, ports", [
    ("banyandb", True, {"grpc"}), ("banyandb", False, set()), ("prometheus", False, {"http"}), ("grafana", True, {"http"}),
    ("nginx", True, set()), (None, True, set()),
])
def test_networkpolicy_lets_agents_to_grpc_and_monitors_to_http(name, same_namespace, ports):
    made = manifests()
    policy = made["NetworkPolicy"]["spec"]
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert admitted(policy, {"app.kubernetes.io/name": name} if name else {}, same_namespace) == ports
    (container,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert {p["port"] for r in policy["ingress"] for p in r["ports"]} == {p["name"] for p in container["ports"]}
    assert all(p["protocol"] == "TCP" for r in policy["ingress"] for p in r["ports"])
    # It connects to nobody, and says so.
    assert policy["policyTypes"] == ["Ingress", "Egress"] and policy["egress"] == []


def test_manifest_confines_the_pod():
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    mounted = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert mounted == {
        "state": "/var/lib/fodc-proxy", "black-box": BLACK_BOX, "runtime": "/run/fodc-proxy", "cache": "/var/cache/fodc-proxy"}
    assert all("emptyDir" in v for v in pod["volumes"]) and {v["name"] for v in pod["volumes"]} == mounted.keys()
    # More than the supervisor takes to end everybody.
    assert pod["terminationGracePeriodSeconds"] >= 10 and "lifecycle" not in container
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}
    # A worker that hangs is replaced within 3 s: a pod is not killed for that.
    liveness = container["livenessProbe"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 20


def instructions() -> list[str]:
    text = re.sub(r"^#.*\n", "", (DEPLOY / "docker" / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_image_has_every_copied_file():
    sources = [word for line in instructions() if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]]
    assert {"Sources", "Tools", "deploy", "scripts", "Package.swift", "Makefile"} <= set(sources)
    tracked = tool("git", "-C", ROOT, "ls-files").split()
    for source in sources:
        assert any(t == source or t.startswith(source + "/") for t in tracked), source
    # Everything that the package is made of is among it.
    for needed in re.findall(r"(?:deploy/\S+|CHANGELOG\.md)", (ROOT / "scripts/build-deb.sh").read_text()):
        assert any(needed == s or needed.startswith(s + "/") for s in sources), needed


def test_image_agrees_with_the_deployment():
    lines = instructions()
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    security = pod["securityContext"]
    assert f"USER {security['runAsUser']}:{security['runAsGroup']}" in lines
    assert any(f"useradd --system --uid {security['runAsUser']}" in line for line in lines)
    assert "EXPOSE " + " ".join(str(p["containerPort"]) for p in container["ports"]) in lines
    assert 'ENTRYPOINT ["/usr/sbin/fodc-proxy"]' in lines
    assert any(re.search(r"apt-get install .* wget ", line) for line in lines)
    assert any("/health" in line and '"wget"' in line for line in lines)
    (environment,) = [line for line in lines if line.startswith("ENV ")]
    # The image has no folder for the black box: without one it lies beside the state.
    paths = {m["mountPath"] for m in container["volumeMounts"]} - {BLACK_BOX}
    assert {e.split("=")[1] for e in environment.split()[1:]} == paths
    # Of one version: the programs', the Deployment's and the one that the Dockerfile's first line builds.
    version = help_version()
    assert container["image"] == f"fodc-proxy:{version}"
    assert f"-t fodc-proxy:{version} ." in (DEPLOY / "docker" / "Dockerfile").read_text()


def help_version() -> str:
    return run_to_end([binary("fodc-proxy"), "--version"]).stdout.split()[-1]


def test_supervisor_accepts_the_flags_of_upstreams_chart():
    """The values that deploy/README.md gives for upstream's Helm chart, passed as the chart passes them."""
    (block,) = re.findall(r"^    cluster:\n(?:    .*\n)+", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    proxy = yaml.safe_load(block)["cluster"]["fodc"]["proxy"]
    flags = {f"--{kind}-listen-addr": f":{proxy[f'{kind}Svc']['port']}" for kind in ("grpc", "http")}
    flags |= {"--" + re.sub("[A-Z]", lambda m: "-" + m[0].lower(), name): value for name, value in proxy["config"].items()}
    assert len(flags) == 8 and flags.keys() <= proxy_flags().keys()
    assert set(flags) == set(re.findall(r"# (--[a-z-]+)", block))
    environment = {one["name"]: str(one["value"]) for one in proxy["env"]}
    assert environment and all(name.removeprefix("FODC_").lower().replace("_", "-") in {f[2:] for f in proxy_flags()} for name in environment)
    ended = run_to_end([binary("fodc-proxy"), *(f"{name}={value}" for name, value in flags.items()), "--check"], env=environment)
    assert ended.returncode == 0, ended.stderr
