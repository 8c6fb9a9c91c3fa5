# SPDX-License-Identifier: Apache-2.0
"""The proxy's account of itself for people and programs: / and /openapi.yaml."""
import html.parser

import pytest
import yaml

from harness import contract
from harness.waiting import eventually

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


class Page(html.parser.HTMLParser):
    """Strict enough to notice what is not closed."""

    VOID = {"meta", "link", "br", "img", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.loads, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        fields = dict(attributes)
        if tag == "a":
            self.links.append(fields["href"])
        elif "src" in fields or "href" in fields:
            self.loads.append(fields)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def concrete_paths():
    return sorted(path for path in contract.document()["paths"] if "{" not in path and path != "/")


def test_home_page_sends_browsers_to_the_pages(proxy):
    response = proxy().web.get("/", headers={"Accept": BROWSER})
    assert response.status == 302 and response.headers["Location"] == "ui/"


def test_endpoints_page_lists_and_links_the_document(proxy):
    running = proxy(record_interval="1s")
    eventually(lambda: running.web.get("/black-box").status == 200, "the recorder has begun")
    page = Page(running.web.get("/ui/endpoints").text)
    # Nothing but the icon is loaded, and that by a relative address.
    assert {one.get("href") or one.get("src") for one in page.loads} == {"icon.svg"}, "the page must not load anything from elsewhere"
    assert "FODC proxy" in page.texts and running.health()["version"] in page.texts
    everything = " ".join(page.texts)
    assert all(path in everything for path in contract.document()["paths"] if path != "/")
    links = {link.removeprefix("..") for link in page.links if link.startswith("../")}
    assert sorted(links) == concrete_paths()
    for link in links:
        assert running.web.get(link).status == 200, link


@pytest.mark.parametrize("accept", [None, "*/*", "text/plain", "application/json"])
def test_home_page_is_text_for_other_clients(proxy, accept):
    response = proxy().web.get("/", headers={"Accept": accept} if accept else {})
    assert response.status == 200 and response.content_type.startswith("text/plain")
    lines = response.text.split("\n")
    for path in contract.document()["paths"]:
        assert path == "/" or any(line.split(" ")[0] == path for line in lines), path
    assert "<" not in response.text


def test_home_page_varies_by_accept(proxy):
    assert "accept" in proxy().web.get("/").headers.get("Vary", "").lower()


def test_openapi_endpoint_serves_the_document(proxy):
    response = proxy().web.get("/openapi.yaml")
    assert response.status == 200
    assert response.text == contract.DOCUMENT.read_text()
    assert yaml.safe_load(response.text)["openapi"].startswith("3.")


def test_home_page_by_head_has_no_body(proxy):
    running = proxy()
    for path in ("/", "/openapi.yaml"):
        got, head = running.web.get(path), running.web.request("HEAD", path)
        assert (head.status, head.content_type, head.body) == (200, got.content_type, b"")


def test_home_page_lists_the_parameters_of_the_document(proxy):
    """The list for people names every parameter of a query that the document has."""
    text = proxy().web.get("/").text
    sections = {}
    for line in text.split("\n"):
        if line.startswith("/"):
            current = sections.setdefault(line.split(" ")[0], [])
        elif line.startswith("    "):
            current.append(line.split()[0])
    for path, item in contract.document()["paths"].items():
        if path == "/":
            continue
        names = []
        for parameter in item["get"].get("parameters", []):
            if "$ref" in parameter:
                parameter = contract.document()["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
            if parameter["in"] != "header":
                names.append("label.KEY" if parameter["name"] == "labels" else parameter["name"])
        assert sorted(sections[path]) == sorted(names), path
