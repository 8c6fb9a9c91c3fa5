# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, driven by Playwright, that notices what a page does wrong: errors on the console, requests to
anywhere else, dialogs, and breaches of accessibility that axe-core finds."""
import contextlib
import urllib.parse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

#: No browser is downloaded: make deps-test installs Debian's.
CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = {"width": 1360, "height": 860}, {"width": 390, "height": 800}


@contextlib.contextmanager
def chromium():
    """A running browser. Its own sandbox does not work for root, as which tests run in containers."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"])
        yield browser
        browser.close()


class Watched:
    """A page of a proxy, and what it did wrong."""

    def __init__(self, browser, origin: str, prefix: str = "/", **context):
        self.origin, self.prefix, self.faults, self.sizes = origin, prefix, [], {}
        self.context = browser.new_context(**{"viewport": WIDE, **context})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda message: message.type in ("error", "warning")
                     and self.faults.append(f"{message.text} ({message.location.get('url')})"))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._look)

    def _look(self, request):
        parts = urllib.parse.urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not parts.path.startswith(self.prefix):
            self.faults.append(f"a request to {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.origin + self.prefix + path)
        return self.page

    def breaches(self) -> list[str]:
        """The findings of axe-core in the page as it stands: rules of WCAG 2 A and AA, contrast among them."""
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
        return [f"{v['id']}: {v['help']}: {[n['html'][:120] for n in v['nodes'][:3]]}" for v in found.response["violations"]]

    def close(self):
        self.context.close()
