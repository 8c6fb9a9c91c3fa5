# SPDX-License-Identifier: Apache-2.0
"""A client that scrapes every 200 ms, whatever became of the scrape before, and notes every answer as a line of JSON.

    python -m chaos.scraper HOST:PORT EXPECTED.json OUTPUT.jsonl

EXPECTED says how many series each pod has. It ends, with its last answers in, when its standard input does."""
import collections
import http.client
import json
import re
import sys
import threading

from .clock import now, sleep

INTERVAL_SECONDS = 0.2
#: The timeout that it tells the proxy, as Prometheus does.
ASKED_SECONDS = 4
#: Beyond this an answer counts as none.
LIMIT_SECONDS = 10
#: A proxy that answers nothing for so long is asked no more: 10 s of scrapes.
LIMIT_UNDER_WAY = 60
#: A sample of an agent's; the proxy's own also name pods.
SAMPLE = re.compile(rb'^(?!#|fodc_proxy_|banyandb_fodc_)[^\n]*?pod_name="([^"]+)"', re.M)


def missing(body: bytes, expected: dict[bytes, int]) -> dict[str, int]:
    """Pods of which series are missing, and how many."""
    counts = collections.Counter(SAMPLE.findall(body))
    return {pod.decode(): n - counts[pod] for pod, n in expected.items() if counts[pod] < n}


def scrape(address: str, expected: dict[bytes, int]) -> dict:
    began = now()
    note: dict = {"began": began}
    connection = http.client.HTTPConnection(address, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", "/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": str(ASKED_SECONDS)})
        answer = connection.getresponse()
        body = answer.read()
        note["took"] = now() - began
        note["status"] = answer.status
        if answer.status == 200:
            note["missing"] = missing(body, expected)
    except Exception as error:  # whatever it is, the scrape has no answer, and that is noted
        note["took"] = now() - began
        note["error"] = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return note


class Scraper:
    def __init__(self, address: str, expected: dict[bytes, int], output):
        self._address, self._expected, self._output = address, expected, output
        self._lock, self._under_way = threading.Lock(), 0

    def _one(self):
        note = scrape(self._address, self._expected)
        with self._lock:
            self._under_way -= 1
            self._write(note)

    def _write(self, note: dict):
        self._output.write(json.dumps(note) + "\n")
        self._output.flush()

    def run(self, over: threading.Event):
        due = now()
        while not over.is_set():
            with self._lock:
                is_possible = self._under_way < LIMIT_UNDER_WAY
                if is_possible:
                    self._under_way += 1
                else:
                    self._write({"began": now(), "took": 0.0, "error": "too many scrapes under way"})
            if is_possible:
                threading.Thread(target=self._one, daemon=True).start()
            due = max(due + INTERVAL_SECONDS, now() - 1)
            sleep(max(0.0, due - now()))
        end = now() + LIMIT_SECONDS + 1
        while self._under_way and now() < end:
            sleep(0.05)


def main():
    address, expected, output = sys.argv[1:]
    with open(expected) as file:
        counts = {pod.encode(): n for pod, n in json.load(file).items()}
    over = threading.Event()

    def await_end():
        sys.stdin.read()
        over.set()

    threading.Thread(target=await_end, daemon=True).start()
    with open(output, "a") as file:
        Scraper(address, counts, file).run(over)


if __name__ == "__main__":
    main()
