# SPDX-License-Identifier: Apache-2.0
"""nginx as the measure for downloads: one process, one folder, a free port of 127.0.0.1, its own configuration."""
import pathlib
import shutil
import subprocess
import tempfile
import time

from . import procfs
from .client import Cut, Client
from .stand import Broken, free_ports

#: Debian puts it where only root's PATH leads.
PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"

CONFIGURATION = """\
daemon off;
master_process off;
error_log stderr crit;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile {sendfile};
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def is_installed() -> bool:
    return pathlib.Path(PROGRAM).exists()


class Nginx:
    """`with Nginx(root, sendfile) as server:` serves the files of `root`."""

    def __init__(self, root: pathlib.Path, sendfile: bool):
        [self.port] = free_ports(1)
        self.folder = tempfile.TemporaryDirectory(prefix="fodc-bench-nginx-")
        self.configuration = pathlib.Path(self.folder.name, "nginx.conf")
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder.name, root=root, port=self.port, sendfile="on" if sendfile else "off"))
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [PROGRAM, "-p", self.folder.name, "-c", str(self.configuration)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                client = Client(self.port, 5)
                client.connect()
                client.close()
                return self
            except (Cut, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.__exit__()
        raise Broken(f"{PROGRAM} does not serve")

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def cpu_seconds(self) -> float:
        return procfs.cpu_seconds(self.process.pid)
