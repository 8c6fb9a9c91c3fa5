# SPDX-License-Identifier: Apache-2.0
"""/metrics: the text, the values, families and types, enrichment, filters."""
import gzip
import random
import struct

import pytest

from harness import wire
from harness.exposition import Exposition, bits, key
from harness.wire import COUNTER, GAUGE, HISTOGRAM, SUMMARY, UNSPECIFIED, UNTYPED, Sample

NAN, INF = float("nan"), float("inf")


def test_metrics_have_the_content_type_and_order(proxy, agents):
    running = proxy()
    for pod in ("b", "a", "c"):
        agent = agents(running, pod)
        agent.samples = [agent.sample(f"banyandb_{n}", i, zone="z", alpha="a") for i, n in enumerate(("zz", "aa", "m_total", "Upper"))]
    response = running.web.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    scrape = response.exposition()
    scrape.assert_ordered()
    assert len(scrape.named("banyandb_aa")) == 3


def test_metrics_are_own_metrics_without_agents(proxy):
    response = proxy().web.get("/metrics")
    assert response.status == 200
    assert response.exposition().without_own() == {}


def test_metrics_of_an_agent_without_series_are_empty(proxy, agents):
    running = proxy()
    agents(running)
    assert running.scrape().without_own() == {}


def test_metrics_are_collected_for_each_scrape(proxy, agents):
    running = proxy()
    agent = agents(running)
    asked = iter(range(1, 100))
    agent.samples = lambda: [agent.sample("asked_total", next(asked), COUNTER)]
    assert [running.scrape().total("asked_total") for _ in range(5)] == [1, 2, 3, 4, 5]
    assert not any(r.HasField("start_time") or r.HasField("end_time") for _, r in agent.requests)


def test_metrics_keep_every_bit_of_a_value(proxy, agents):
    """Random bit patterns, and the doubles that writers of numbers get wrong."""
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    values = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, 1e21, 1e22, 1e23, 123456789012345680.0,
              5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 9007199254740993.0, 0.3,
              1e-5, 1e-7, 1e15, 1e16, 1e17, 4.35, 0.000001, 9.5367431640625e-07, 1500000000.14112, INF, -INF, NAN]
    values += [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(4000)]
    values += [float(rng.randrange(-(10**rng.randrange(1, 18)), 10**rng.randrange(1, 18))) for _ in range(1000)]
    values += [round(rng.random() * 10**rng.randrange(-3, 9), rng.randrange(8)) for _ in range(1000)]
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("bits_value", v, n=str(n)) for n, v in enumerate(values)]
    scrape = running.scrape()
    for n, value in enumerate(values):
        got = scrape.value("bits_value", n=str(n), pod_name="pod-0", node_role="ROLE_DATA", container_name="data")
        assert bits(got) == bits(value), f"sent {value!r}, got {got!r} (number {n}, seed {seed})"


def test_metrics_write_infinities_and_nan_as_text(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("odd_value", v, n=n) for n, v in (("nan", NAN), ("plus", INF), ("minus", -INF))]
    lines = {line.split(" ")[1] for line in running.web.get("/metrics").text.splitlines() if line.startswith("odd_value")}
    assert lines == {"NaN", "+Inf", "-Inf"}


def test_metrics_accept_series_in_any_order(proxy, agents):
    """The same series in fifty orders are the same series, and no line of text changes."""
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample(f"shuffled_{n % 7}", n, a=str(n), b=str(n % 3), c="ü", d="x" * (n % 40)) for n in range(300)]
    texts = set()
    for _ in range(50):
        texts.add("\n".join(sorted(l for l in running.web.get("/metrics").text.splitlines() if l.startswith("shuffled_"))))
    assert len(texts) == 1
    assert len(Exposition(running.web.get("/metrics").text).without_own()) == 300


def test_metrics_escape_label_values(proxy, agents):
    running = proxy()
    agent = agents(running)
    odd = ['quote " here', "back\\slash", "new\nline", "\\n", '\\"', "end\\", "tab\t", "ünïcödé 雪 🦉", "a,b", "{c}", "d=e", "\r", " "]
    agent.samples = [agent.sample("escaped_value", n, path=v) for n, v in enumerate(odd)]
    agent.samples.append(agent.sample("described_value", 1, description='two\nlines, a back\\slash and a "quote"'))
    scrape = running.scrape()
    for n, value in enumerate(odd):
        assert scrape.total("escaped_value", path=value) == n
    assert len(scrape.named("escaped_value")) == len(odd)
    assert scrape.families["described_value"].help == 'two\nlines, a back\\slash and a "quote"'


def test_metrics_have_help_only_where_known(proxy, agents):
    running = proxy()
    for pod in ("a", "b", "c"):
        agent = agents(running, pod)
        agent.samples = [agent.sample("told_total", 1, COUNTER, "A total." if pod != "a" else ""), agent.sample("untold_total", 1, COUNTER)]
    text = running.web.get("/metrics").text
    assert text.count("# HELP told_total A total.\n") == 1
    assert text.count("# TYPE told_total counter\n") == 1
    assert "# HELP untold_total" not in text
    Exposition(text)


def test_metrics_group_histogram_and_summary_families(proxy, agents):
    running = proxy()
    for pod in ("a", "b"):
        agent = agents(running, pod)
        agent.samples = [agent.sample("lat_seconds_bucket", n, HISTOGRAM, le=le) for n, le in enumerate(("0.1", "1", "+Inf"))]
        agent.samples += [agent.sample("lat_seconds_sum", 5.5, HISTOGRAM), agent.sample("lat_seconds_count", 2, HISTOGRAM)]
        agent.samples += [agent.sample("gc_seconds", 0.1, SUMMARY, "Pauses.", quantile="0.5"), agent.sample("gc_seconds_sum", 1, SUMMARY),
                          agent.sample("gc_seconds_count", 3, SUMMARY)]
        # Counters may end like components.
        agent.samples += [agent.sample("requests_count", 7, COUNTER), agent.sample("bytes_sum", 8, GAUGE)]
    scrape = running.scrape()
    types = {n: f.type for n, f in scrape.families.items() if not n.startswith("fodc_")}
    assert types == {"lat_seconds": "histogram", "gc_seconds": "summary", "requests_count": "counter", "bytes_sum": "gauge"}
    assert len(scrape.families["lat_seconds"].lines) == 10
    assert len(scrape.families["gc_seconds"].lines) == 6
    assert scrape.families["gc_seconds"].help == "Pauses."


def test_metrics_infer_unspecified_types(proxy, agents):
    """Older agents' messages: it joins a typed family, else the suffix decides, else it is a gauge."""
    running = proxy()
    old, new = agents(running, "old"), agents(running, "new")
    old.samples = [old.sample(n, 1, UNSPECIFIED, **l) for n, l in (
        ("plain", {}), ("guess_bucket", {"le": "1"}), ("guess_sum", {}), ("guess_count", {}), ("guess", {"quantile": "1"}),
        ("typed_total", {}), ("pauses_count", {}), ("pauses", {"quantile": "1"}), ("calls_count", {}))]
    new.samples = [new.sample("typed_total", 2, COUNTER), new.sample("pauses_sum", 2, SUMMARY), new.sample("calls_count", 2, COUNTER)]
    scrape = running.scrape()
    types = {n: f.type for n, f in scrape.families.items() if not n.startswith("fodc_")}
    assert types == {"plain": "gauge", "guess": "histogram", "typed_total": "counter", "pauses": "summary", "calls_count": "counter"}
    assert sorted(n for n, _, _ in scrape.families["pauses"].lines) == ["pauses", "pauses_count", "pauses_sum"]
    assert len(scrape.families["guess"].lines) == 4


@pytest.mark.parametrize(
    "votes, verdict",
    [
        ((GAUGE, COUNTER, COUNTER), "counter"),
        ((COUNTER, GAUGE, GAUGE), "gauge"),
        ((GAUGE, COUNTER), "counter"),
        ((UNTYPED, GAUGE), "gauge"),
        ((UNTYPED, UNTYPED, GAUGE), "untyped"),
        ((UNSPECIFIED, UNSPECIFIED, COUNTER), "counter"),
        ((SUMMARY, GAUGE), "gauge"),
    ],
)
def test_metrics_use_one_type_when_agents_disagree(proxy, agents, votes, verdict):
    running = proxy()
    for number, vote in enumerate(votes):
        agent = agents(running, f"pod-{number}")
        agent.samples = [agent.sample("disputed", number, vote, number=str(n)) for n in range(5)]
    scrape = running.scrape()
    assert scrape.families["disputed"].type == verdict
    assert len(scrape.named("disputed")) == 5 * len(votes)


def test_metrics_have_labels_of_the_registration(proxy, agents):
    running = proxy()
    labels = {"type": "hot", "zone": "", "pod_name": "x", "container_name": "y", "rack": "r1"}
    agent = agents(running, "real-pod", role="ROLE_DATA", labels=labels)
    agent.samples = [
        Sample("full", {"pod_name": "real-pod", "node_role": "ROLE_DATA", "container_name": "data", "k": "v"}, 1),
        Sample("ktm_bare", {}, 2),
        Sample("ktm_role", {"node_role": "ROLE_OWN"}, 3),
        Sample("has_own", {"node_rack": "mine", "pod_name": "real-pod", "node_role": "ROLE_DATA"}, 4),
        Sample("empty_label", {"pod_name": "", "blank": "", "k": "v"}, 5),
    ]
    added = {"node_type": "hot", "node_rack": "r1"}
    identity = {"pod_name": "real-pod", "node_role": "ROLE_DATA"}
    expected = {
        key("full", {**identity, "container_name": "data", "k": "v", **added}): 1,
        key("ktm_bare", {**identity, **added}): 2,
        key("ktm_role", {"pod_name": "real-pod", "node_role": "ROLE_OWN", **added}): 3,
        key("has_own", {**identity, "node_rack": "mine", "node_type": "hot"}): 4,
        key("empty_label", {**identity, "k": "v", **added}): 5,
    }
    scrape = running.scrape()
    assert scrape.without_own() == expected
    scrape.assert_ordered()


def test_metrics_keep_equal_series_of_two_nodes_apart(proxy, agents):
    running = proxy()
    for number, pod in enumerate(("a", "b")):
        agents(running, pod, samples=[Sample("ktm_up", {"device": "sda"}, number + 1)])
    series = running.scrape().named("ktm_up")
    assert {dict(labels)["pod_name"]: value for labels, value in series.items()} == {"a": 1, "b": 2}


def test_metrics_drop_invalid_registration_labels(proxy, agents):
    """A label of the registration whose name Prometheus would refuse must not spoil the scrape."""
    running = proxy()
    odd = agents(running, "odd", labels={"app.kubernetes.io/name": "x", "good": "y", "": "z"})
    odd.samples = [odd.sample("value_here", 1)]
    fine = agents(running, "fine")
    fine.samples = [fine.sample("value_here", 2)]
    scrape = running.scrape()
    assert scrape.total("value_here", pod_name="fine") == 2
    assert running.scrape().total("value_here", pod_name="fine") == 2


BROKEN = [
    Sample("", {}, 1), Sample("1digit", {}, 1), Sample("with space", {}, 1), Sample("dash-ed", {}, 1), Sample("ünï", {}, 1),
    Sample("new\nline", {}, 1), Sample("brace{", {}, 1), Sample("good_name", {"bad-label": "x"}, 1), Sample("good_name", {"1": "x"}, 1),
    Sample("good_name", {"": "x"}, 1), Sample("good_name", {"co:lon": "x"}, 1), Sample("good_name", {'q"': "x"}, 1),
    Sample("good_name", {"v": b"\xff\xfe"}, 1), Sample("good_name", {"v": b"\xed\xa0\x80"}, 1), Sample("good_name", {b"\xff": "x"}, 1),
]


def test_metrics_drop_only_series_with_broken_names(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [*BROKEN, agent.sample("good_name", 42), agent.sample("other:name", 43)]
    other = agents(running, "other")
    other.samples = [other.sample("good_name", 44)]
    for _ in range(2):
        scrape = running.scrape()
        assert sorted(v for k, v in scrape.without_own().items()) == [42, 43, 44]
    assert not agent.registration.is_ended and not agent.metrics.is_ended
    dropped = [n for n in scrape.families if n.startswith("fodc_proxy_") and "dropped" in n]
    assert sum(scrape.total(n) for n in dropped) >= 2 * len(BROKEN)


def test_metrics_show_duplicates_of_a_message_once(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("twice", v, a="b") for v in (3.0, 7.0, -2.0, 5.0)]
    for _ in range(10):
        assert list(running.scrape().named("twice").values()) == [7.0]


def test_metrics_ignore_empty_labels_of_duplicates(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("twice", 1.0, a="b"), agent.sample("twice", 2.0, a="b", c="")]
    assert list(running.scrape().named("twice").values()) == [2.0]


def test_metrics_show_a_series_of_two_agents_once(proxy, agents):
    """That of the newest registration, whoever answers first."""
    running = proxy()
    labels = {"pod_name": "shared", "node_role": "ROLE_DATA", "k": "v"}
    first = agents(running, "first", samples=[Sample("shared_value", labels, 100)])
    second = agents(running, "second", samples=[Sample("shared_value", labels, 1), Sample("own_value", {}, 5)])
    for slow, quick in ((first, second), (second, first)):
        slow.delay, quick.delay = 0.2, 0.0
        scrape = running.scrape()
        assert list(scrape.named("shared_value").values()) == [1]
        assert scrape.total("own_value") == 5


def test_metrics_filter_by_role_and_pod(proxy, agents):
    running = proxy()
    for pod, role in (("data-0", "ROLE_DATA"), ("data-1", "ROLE_DATA"), ("liaison-0", "ROLE_LIAISON")):
        agent = agents(running, pod, role=role)
        agent.samples = [agent.sample("filtered", 1), Sample("elsewhere", {"pod_name": "strange", "node_role": role}, 1)]

    def pods(**query):
        response = running.web.get("/metrics", **query)
        assert response.status == 200
        scrape = response.exposition()
        assert not any(name.startswith("fodc_proxy_") for name in scrape.families), "a filtered scrape must not have own metrics"
        return sorted(dict(k[1])["pod_name"] for k in scrape.samples)

    assert pods(role="ROLE_DATA") == ["data-0", "data-1", "strange"]
    assert pods(pod_name="data-0") == ["data-0"]
    assert pods(role="ROLE_LIAISON", pod_name="liaison-0") == ["liaison-0"]
    assert pods(role="ROLE_LIAISON", pod_name="data-0") == []
    assert pods(role="role_data") == [], "the filter must match exactly and case-sensitively"
    assert pods(pod_name="data") == []
    assert pods(pod_name="strange") == [], "a filter for an unknown agent must match nothing"
    assert pods(role="ROLE_NONE") == []
    assert running.scrape(unknown="ignored").named("filtered").keys() == running.scrape().named("filtered").keys()


def test_metrics_filter_decodes_the_query(proxy, agents):
    running = proxy()
    agent = agents(running, "pod ä/+&=")
    agent.samples = [agent.sample("filtered", 1)]
    assert running.scrape(pod_name="pod ä/+&=").total("filtered") == 1
    assert running.web.request("GET", "/metrics?pod_name=pod%20%C3%A4%2F%2B%26%3D").exposition().total("filtered") == 1


def test_metrics_are_compressed_for_clients_that_accept_gzip(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("zipped", n, n=str(n)) for n in range(5000)]
    for header in ("gzip", "deflate, gzip;q=0.5", "gzip, identity", "*"):
        response = running.web.get("/metrics", {"Accept-Encoding": header})
        if header == "*" and response.headers.get("Content-Encoding") is None:
            continue  # anything goes, also none
        assert response.headers.get("Content-Encoding") == "gzip", header
        text = gzip.decompress(response.body).decode()
        assert len(Exposition(text).named("zipped")) == 5000
        assert len(response.body) < len(text) / 5
    for header in ("identity", "gzip;q=0", "deflate", "br", ""):
        response = running.web.get("/metrics", {"Accept-Encoding": header})
        assert response.headers.get("Content-Encoding") in (None, "identity"), header
        assert len(response.exposition().named("zipped")) == 5000


def test_metrics_by_head_have_no_body(proxy, agents):
    running = proxy()
    agents(running)
    response = running.web.request("HEAD", "/metrics")
    assert (response.status, response.body) == (200, b"")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_drop_series_missing_from_the_answer(proxy, agents):
    """Agents never do it, but a restarted one may have fewer; then it is not shown any more."""
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("here", 1), agent.sample("gone", 1)]
    assert set(k[0] for k in running.scrape().without_own()) == {"here", "gone"}
    agent.samples = [agent.sample("here", 2)]
    assert set(k[0] for k in running.scrape().without_own()) == {"here"}
    agent.samples = [agent.sample("here", 3), agent.sample("gone", 4), agent.sample("new", 5)]
    assert {k[0]: v for k, v in running.scrape().without_own().items()} == {"here": 3, "gone": 4, "new": 5}


def test_metrics_follow_churning_series(proxy, agents):
    """Names that come and go by the thousand: each answer is exactly what was sent."""
    running = proxy()
    agent = agents(running)
    rng = random.Random(11)
    for round_number in range(12):
        chosen = rng.sample(range(6000), 2000)
        agent.samples = [agent.sample("churned", round_number + n, n=str(n)) for n in chosen]
        values = {dict(labels)["n"]: v for labels, v in running.scrape().named("churned").items()}
        assert values == {str(n): round_number + n for n in chosen}, f"round {round_number}"


def test_metrics_have_no_timestamps(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("timed", 1, timestamp=1_700_000_000.5)]
    assert running.scrape().total("timed") == 1  # the reader refuses a third field


def test_metrics_of_a_large_random_fleet_equal_a_naive_reference(proxy, agents):
    """Seeded agents with random labels and values against the rules written down once more in Python."""
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    running = proxy()
    expected = {}
    for number in range(8):
        pod = f"pod-{number}"
        registered = {k: rng.choice(["", "x", "y z"]) for k in rng.sample(["type", "zone", "rack", "pod_name"], 2)}
        agent = agents(running, pod, labels=registered)
        for index in range(400):
            labels = {k: rng.choice(["", "1", "two", 'th"ree', "f\\our", "fünf\n"]) for k in rng.sample(["a", "b", "c_d", "node_type", "_e"], 3)}
            labels["index"] = str(index)
            if rng.random() < 0.7:
                labels |= {"pod_name": pod, "node_role": agent.role}
            value = struct.unpack("<d", rng.randbytes(8))[0]
            sample = Sample(f"random_{rng.randrange(12)}", labels, value)
            agent.samples = [*agent.samples, sample]
            full = {k: v for k, v in labels.items() if v}
            for name, text in registered.items():
                if text and name != "pod_name":
                    full.setdefault("node_" + name, text)
            full.setdefault("pod_name", pod)
            full.setdefault("node_role", agent.role)
            expected[key(sample.name, full)] = value
    scrape = running.scrape()
    scrape.assert_ordered()
    got = scrape.without_own()
    assert got.keys() == expected.keys(), f"seed {seed}"
    wrong = [k for k in expected if bits(got[k]) != bits(expected[k])]
    assert not wrong, f"seed {seed}: {wrong[:3]}"


@pytest.mark.parametrize("parameters, comment", [
    ({"role": "ROLE_DTA"}, '# No agent matches role="ROLE_DTA". Known roles: "ROLE_DATA". /cluster lists the agents.'),
    ({"pod_name": "pod\n\"7"}, '# No agent matches pod_name="pod\\n\\"7". Known roles: "ROLE_DATA". /cluster lists the agents.'),
    ({"role": "ROLE_DATA", "pod_name": "x"}, '# No agent matches role="ROLE_DATA" and pod_name="x". Known roles: "ROLE_DATA". /cluster lists the agents.'),
])
def test_metrics_filter_that_matches_no_agent_says_so(proxy, agents, parameters, comment):
    """A misspelt filter does not look like nodes without metrics."""
    running = proxy(ingest_workers=1)
    agent = agents(running, "pod-0")
    agent.samples = [agent.sample("value", 1)]
    packed = running.web.get("/metrics", {"Accept-Encoding": "gzip"}, **parameters).body
    for scrape in (running.scrape(**parameters), Exposition(gzip.decompress(packed).decode())):
        assert (scrape.comments, scrape.samples) == ([comment], {})
    for known in ({}, {"role": "ROLE_DATA"}, {"pod_name": "pod-0"}, {"role": "ROLE_DATA", "pod_name": "pod-0"}):
        scrape = running.scrape(**known)
        assert scrape.comments == [] and scrape.named("value"), known
    assert running.web.get("/metrics-windows", **parameters).json() == []


def test_metrics_filter_without_any_agent_says_so(proxy):
    assert proxy().scrape(role="ROLE_DATA").comments == [
        '# No agent matches role="ROLE_DATA". No agent is registered. /cluster lists the agents.']
