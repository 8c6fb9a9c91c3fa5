# SPDX-License-Identifier: Apache-2.0
"""Somebody who scrapes all the time and notes every answer."""
import threading
import time


class Scraper:
    """Scrapes every `interval` seconds on a connection of its own each time, until `stop`."""

    def __init__(self, web, interval: float = 0.2, look=lambda scrape: None):
        self.web, self.interval, self.look = web, interval, look
        self.count, self.failures, self.findings = 0, [], []
        self.slowest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self):
        while not self._over.is_set():
            began = time.monotonic()
            try:
                found = self.look(self.web.scrape())
                if found is not None:
                    self.findings.append((round(began, 2), found))
            except Exception as error:  # noqa: BLE001: whatever it is, it is what is looked for
                self.failures.append((round(began, 2), repr(error)))
            self.count += 1
            took = time.monotonic() - began
            self.slowest = max(self.slowest, took)
            self._over.wait(max(0.0, self.interval - took))
