#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of the pages in docs/images: of a simulated cluster that has run for a while, and in which one node
has gone. Each page light, dark and narrow; made small with pngquant. Takes about three minutes."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
#: Together; they are in the repository.
MOST_BYTES = 1_000_000
MIX = "liaison=2,hot=3,warm=2,cold=1"
VARIANTS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 820}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 820}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 760}},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release", metavar="FOLDER", help="where the programs are")
    parser.add_argument("--seconds", type=float, default=100, help="time that the cluster runs before a node goes (100)")
    given = parser.parse_args()
    os.environ["FODC_BIN"] = str(given.bin.resolve())
    sys.path.insert(0, str(ROOT / "Tests" / "e2e"))
    from harness import browser
    from harness.processes import Program, Proxy, binary
    from harness.waiting import eventually

    with tempfile.TemporaryDirectory() as folder, browser.chromium() as chromium:
        folder = pathlib.Path(folder)
        proxy = Proxy(folder, {
            "record_interval": "2s", "stale_grace": "3s", "heartbeat_interval": "1s", "agent_heartbeat_timeout": "3s",
            "agent_cleanup_timeout": "6s", "log_level": "error"}).wait_ready()
        simulate = [binary("fodc-agentsim"), f"--proxy={proxy.address}", f"--role={MIX}", "--streams=8", "--series=600"]
        living = Program([*simulate, "--agents=8"], folder / "living.log")
        # One of the same cluster that goes: the ninth node, a liaison.
        dying = Program([*simulate, "--agents=1", "--start-index=8"], folder / "dying.log")
        try:
            proxy.wait_agents(online=9)
            end = time.monotonic() + given.seconds
            while time.monotonic() < end:
                proxy.scrape()
                time.sleep(2)
            dying.destroy()
            pod = eventually(lambda: gone(proxy), "the node is gone", timeout=120)
            incident = eventually(
                lambda: proxy.web.get("/incidents", kind="node-gone").json()["incidents"], "its incident is known", timeout=60)[0]
            profile = urllib.parse.urlencode(eventually(lambda: heap_of(proxy), "a profile is listed", timeout=60))
            pages = {
                "fleet": ("", "#rows tr"), "topology": ("topology", ".graph .node"), "proxy": ("proxy", "table"),
                "node": (f"node?pod_name={pod}", ".chart canvas"), "incident": (f"incident?id={incident['id']}", ".chart canvas"),
                "profile": (f"profile?{profile}", "main tbody tr"),
            }
            take(chromium, f"http://127.0.0.1:{proxy.http_port}/ui/", pages)
        finally:
            for program in (dying, living, proxy):
                program.destroy()
    total = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    print(f"{len(list(IMAGES.glob('*.png')))} pictures, {total / 1000:.0f} kB")
    if total > MOST_BYTES:
        sys.exit(f"screenshots: more than {MOST_BYTES} bytes")


def gone(proxy):
    nodes = proxy.web.get("/fleet", state="gone").json()["nodes"]
    return nodes and nodes[0]["node_id"]


def heap_of(proxy):
    """The heap profile that was taken last; it may be one that the black box has of the node that is gone."""
    for capture in proxy.web.get("/pressure-profiles").json():
        if any(profile["type"] == "heap" for profile in capture["profiles"]):
            return {"pod_name": capture["pod_name"], "profile_id": capture["profile_id"], "type": "heap"}
    return None


def take(chromium, origin: str, pages: dict):
    IMAGES.mkdir(exist_ok=True)
    for variant, context in VARIANTS.items():
        for name, (path, shown) in pages.items():
            tab = chromium.new_context(**context)
            page = tab.new_page()
            page.goto(origin + path)
            page.wait_for_selector(shown)
            # A profile does not change any more.
            if name != "profile":
                page.wait_for_selector("#beacon.live")
            page.wait_for_load_state("networkidle")
            picture = IMAGES / f"{name}-{variant}.png"
            page.screenshot(path=picture)
            tab.close()
            subprocess.run(["pngquant", "--force", "--skip-if-larger", "--ext", ".png", "64", picture], check=False)


if __name__ == "__main__":
    main()
