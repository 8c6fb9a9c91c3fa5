# SPDX-License-Identifier: Apache-2.0
"""A gateway that serves a proxy below a path of its own, as an ingress of Kubernetes does."""
import contextlib
import http.client
import http.server
import threading


@contextlib.contextmanager
def below(prefix: str, port: int):
    """Yields the port of a gateway that takes `prefix` off each path; all else, redirections too, goes through as it is."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith(prefix):
                return self.send_error(404)
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                upstream.request("GET", "/" + self.path.removeprefix(prefix), headers=dict(self.headers))
                answer = upstream.getresponse()
                body = answer.read()
            finally:
                upstream.close()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # A browser that leaves a page does not wait for what it asked for.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, format, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
