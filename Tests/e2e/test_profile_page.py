# SPDX-License-Identifier: Apache-2.0
"""The profile page in a real browser: the flame graph is what the profile says, and names in it harm nobody."""
import pytest

from harness import browser as browsers
from harness.black_box import Box
from harness.pprof import Stacks
from harness.profiles import Capture, Profiles, info, record
from harness.waiting import eventually

HOSTILE = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
MIB = 1 << 20


@pytest.fixture
def profiled(proxy, agents):
    """A node with two captures: `grow` has grown, `gone` is gone."""
    running = proxy()
    older = Stacks().add(["main", "run", "grow"], MIB).add(["main", "gone"], MIB)
    newer = Stacks().add(["main", "run", "grow"], 5 * MIB).add(["main", "run"], MIB).add(["main", HOSTILE], 2 * MIB)
    contents = {("older", "heap"): Capture(older.gzipped()), ("newer", "heap"): Capture(newer.gzipped()), ("broken", "heap"): Capture(b"no profile")}
    records = [record(name, [info("heap", size=content.size)], captured_at=1_800_000_000 + n) for n, ((name, _), content) in enumerate(contents.items())]
    agents(running, "pod-0", answers={"pressure_profiles": Profiles(records, contents)})
    return running


def address(running, profile="newer", **query):
    more = "".join(f"&{k}={v}" for k, v in query.items())
    return f"ui/profile?pod_name=pod-0&profile_id={profile}&type=heap{more}"


@pytest.fixture
def watched(profiled, watched):
    """A factory of watched pages of that node's proxy."""
    return lambda **context: watched(profiled, **context)


def rows(page) -> list:
    return [row.split("\t") for row in page.locator("main tbody tr").all_inner_texts()]


def test_profile_page_shows_functions_and_searches(profiled, watched):
    page = watched().open(address(profiled))
    page.wait_for_selector("main tbody tr:nth-child(4)")
    assert [row[0] for row in rows(page)] == ["grow", HOSTILE, "run", "main"], "the most expensive first, names as text"
    assert rows(page)[0][1:] == ["5.00 MiB", "62.50 %", "5.00 MiB", "62.50 %"]
    page.fill("#search", "GR")
    page.wait_for_selector("#found:text('1 functions, 62.50 %')")
    assert "search=GR" in page.url, "a link to what is seen"
    page.click("main tbody tr:nth-child(3) button")
    page.wait_for_selector("#found:text('1 functions, 75.00 %')")


def test_profile_page_zooms_by_mouse_and_keyboard(profiled, watched):
    page = watched().open(address(profiled))
    page.wait_for_selector("main tbody tr:nth-child(4)")
    box = page.locator("#flame").bounding_box()
    # The row of main's calls: the hostile name is the first by name, then run with six eighths.
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 2.5 * 18)
    page.wait_for_selector("#detail:text('run: 6.00 MiB (75.00 %), itself 1.00 MiB')")
    assert page.is_disabled("#reset")
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + 2.5 * 18)
    assert page.is_enabled("#reset")
    # Zoomed in, run is as wide as the picture.
    page.mouse.move(box["x"] + 5, box["y"] + 2.5 * 18)
    page.wait_for_selector("#detail:text('run: 6.00 MiB')")
    page.focus("#flame")
    page.keyboard.press("Escape")
    page.wait_for_selector("#detail:text('all: 8.00 MiB')")
    for key, shown in (("ArrowDown", "main: 8.00 MiB"), ("ArrowDown", "onerror"), ("ArrowRight", "run: 6.00 MiB"), ("ArrowDown", "grow: 5.00 MiB"), ("ArrowUp", "run:")):
        page.keyboard.press(key)
        page.wait_for_function("text => document.getElementById('detail').textContent.includes(text)", arg=shown)


def test_profile_page_compares_two_captures(profiled, watched):
    page = watched().open(address(profiled))
    page.wait_for_selector("#base option[value=older]", state="attached")
    page.select_option("#base", "older")
    page.wait_for_selector("main thead:has-text('Change')")
    changes = {row[0]: row[1] for row in rows(page)}
    assert changes == {"grow": "+4.00 MiB", HOSTILE: "+2.00 MiB", "run": "+1.00 MiB", "gone": "−1.00 MiB", "main": "0 B"}
    assert "diff=older" in page.url and "8.00 MiB" in page.inner_text(".facts") and "+6.00 MiB" in page.inner_text(".facts")
    colours = page.evaluate("""() => {
        const canvas = document.getElementById("flame"), context = canvas.getContext("2d");
        return [...context.getImageData(canvas.width / 2, 3.5 * 18 * devicePixelRatio, 1, 1).data];
    }""")
    assert colours[0] == 250 and colours[1] < 200, f"grow is red: {colours}"
    page.select_option("#widths", "before")
    page.mouse.move(page.locator("#flame").bounding_box()["x"] + 10, page.locator("#flame").bounding_box()["y"] + 2.5 * 18)
    page.wait_for_selector("#detail:text('gone: 0 B')")


def test_profile_page_is_accessible_and_says_what_it_cannot(profiled, watched):
    for context in ({}, {"color_scheme": "dark"}, {"viewport": browsers.NARROW}):
        one = watched(**context)
        page = one.open(address(profiled, diff="older"))
        page.wait_for_selector("main tbody tr:nth-child(4)")
        assert one.breaches() == [], context
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "broader than the screen"
    one = watched()
    page = one.open(address(profiled, profile="broken"))
    page.wait_for_selector("#notice:text('not a profile in pprof')")
    page = one.open("ui/profile")
    page.wait_for_selector("#notice:text('pod_name, profile_id and type')")
    assert all("422" in fault for fault in one.faults), one.faults
    one.faults.clear()


@pytest.fixture
def gone(proxy, agents, tmp_path):
    """A pod that is gone, whose two captures are in the black box, and another one that is there."""
    running = proxy(record_interval="1s", stale_grace="1s", heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="4s")
    captures = {
        "pod-0": {"older": Stacks().add(["main", "run"], MIB), "newer": Stacks().add(["main", "run"], 3 * MIB).add(["main", "grow"], 5 * MIB)},
        "pod-1": {"there": Stacks().add(["main", "run"], 2 * MIB)}}
    made = {}
    for pod, stacks in captures.items():
        contents = {(name, "heap"): Capture(one.gzipped()) for name, one in stacks.items()}
        records = [record(name, [info("heap", size=content.size)], captured_at=1_800_000_000 + n) for n, ((name, _), content) in enumerate(contents.items())]
        made[pod] = agents(running, pod, answers={"pressure_profiles": Profiles(records, contents)})
        made[pod].beat_every(1)
    box = Box(tmp_path / "state")
    eventually(lambda: box.profile("pod-0", "older", "heap") and box.profile("pod-0", "newer", "heap"), "they are stored", timeout=40)
    made["pod-0"].close()
    eventually(lambda: [n["state"] for n in running.web.get("/fleet").json()["nodes"] if n["node_id"] == "pod-0"] == ["gone"], "it is gone", timeout=20)
    return running


def test_profiles_of_a_node_that_is_gone_are_shown_in_every_form(gone, chromium):
    path = "/pressure-profiles/pod-0/newer/heap"
    top = gone.web.get(path, format="top")
    assert top.status == 200 and "5MB" in top.text and "pod-0 heap newer" in top.text
    for form in ("svg", "collapsed", "speedscope", "json"):
        answer = gone.web.get(path, format=form)
        assert answer.status == 200 and "grow" in answer.text, (form, answer.text)
        assert gone.web.get(path, format=form, diff="older").status == 200
    assert "main;run 1048576 3145728" in gone.web.get(path, format="collapsed", diff="older").text
    # From pod to pod, either of which may be gone.
    assert "main;run 2097152 3145728" in gone.web.get(path, format="collapsed", diff="there", diff_pod="pod-1").text
    across = gone.web.get("/pressure-profiles/pod-1/there/heap", format="collapsed", diff="older", diff_pod="pod-0")
    assert across.text == "main;run 1048576 2097152\n"
    head = gone.web.request("HEAD", path)
    assert head.status == 200 and "pod-0" in head.headers["Content-Disposition"]
    assert gone.web.get("/pressure-profiles/pod-0/never/heap", format="top").status == 404
    assert gone.web.get(path, format="top", diff="never").status == 404
    for query, text in (({"format": "top", "diff_pod": "pod-1"}, "diff_pod= needs diff="), ({"diff_pod": "pod-1"}, "need format="),
                        ({"format": "top", "diff": "there", "diff_pod": ""}, "diff_pod= needs the pod")):
        answer = gone.web.get(path, **query)
        assert answer.status == 400 and text in answer.text
    one = browsers.Watched(chromium, f"http://127.0.0.1:{gone.http_port}")
    page = one.open("ui/profile?pod_name=pod-0&profile_id=newer&type=heap")
    page.wait_for_selector("main tbody tr:nth-child(3)")
    assert rows(page)[0] == ["grow", "5.00 MiB", "62.50 %", "5.00 MiB", "62.50 %"]
    page.select_option("#base", "older")
    page.wait_for_selector("main thead:has-text('Change')")
    page.wait_for_selector("#base optgroup option", state="attached")
    page.select_option("#base", "other-0")
    page.wait_for_function("() => location.search.includes('diff_pod=pod-1')")
    page.wait_for_selector("tr:has-text('run') >> text=+1.00 MiB")
    assert one.faults == []
    one.close()
