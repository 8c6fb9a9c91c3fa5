# SPDX-License-Identifier: Apache-2.0
"""The container image, built by Debian's buildah without a daemon, and a proxy that runs in it as PID 1.

The build stage of the Dockerfile compiles what this tree has compiled already; the package out of `make deb` takes its
place (`--build-context`). The runtime stage is built as it stands, over a bare Debian."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

from .processes import Proxy, children

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
#: Images and layers; kept between runs, because the base takes the network.
STORE = pathlib.Path(os.environ.get("FODC_IMAGE_STORE") or ROOT / ".build-image")
USER = 65532
FOLDERS = {
    "STATE_DIRECTORY": "/var/lib/fodc-proxy", "RUNTIME_DIRECTORY": "/run/fodc-proxy", "CACHE_DIRECTORY": "/var/cache/fodc-proxy"}
#: Packages that the Dockerfile installs beside ours: part of the base, so that a later build needs no network.
PREPARED = ["systemd-standalone-sysusers", "systemd-standalone-tmpfiles", "wget"]
BASE = "localhost/fodc-proxy-test-base"


class NoNetwork(Exception):
    """The base image is not there yet, and Debian's packages cannot be reached."""


def buildah(*arguments, timeout: float = 300) -> str:
    line = ["buildah", "--root", STORE / "root", "--runroot", STORE / "run", "--storage-driver", "vfs", *arguments]
    ended = subprocess.run([str(a) for a in line], capture_output=True, text=True, timeout=timeout)
    if ended.returncode != 0:
        if any(sign in ended.stderr + ended.stdout for sign in ["Could not resolve", "Temporary failure", "Unable to connect"]):
            raise NoNetwork(ended.stderr[-500:])
        raise AssertionError(f"buildah {arguments[0]} failed:\n{(ended.stdout + ended.stderr)[-4000:]}")
    return ended.stdout.strip()


def has_image(name: str) -> bool:
    return name in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()


def make_base(debian: pathlib.Path) -> str:
    """A bare Debian as an image, with apt's lists and what the Dockerfile takes from Debian."""
    name = f"{BASE}:{hashlib.sha256((debian / '.debian-root').read_bytes()).hexdigest()[:12]}"
    if not has_image(name):
        container = buildah("from", "scratch")
        try:
            buildah("add", "--quiet", container, debian, "/")
            install = "apt-get update && apt-get install --yes --no-install-recommends " + " ".join(PREPARED)
            buildah("run", "--isolation", "chroot", container, "--", "sh", "-ec", install)
            buildah("commit", "--quiet", "--format", "docker", container, name)
        finally:
            buildah("rm", container)
    return name


def image_root(debian: pathlib.Path, package: pathlib.Path) -> pathlib.Path:
    """The root file system of the image that the Dockerfile makes of the package."""
    STORE.mkdir(exist_ok=True)
    with open(STORE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest runs in several processes
        base = make_base(debian)
        content = package.read_bytes() + DOCKERFILE.read_bytes() + base.encode()
        tag = hashlib.sha256(content).hexdigest()[:12]
        name, container = f"localhost/fodc-proxy:{tag}", f"fodc-proxy-{tag}"
        if not has_image(name):
            for old in buildah("containers", "--quiet").split():
                buildah("rm", old)
            for old in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
                if old != base:
                    buildah("rmi", old)
            built = STORE / "context/build/dist"
            shutil.rmtree(STORE / "context", ignore_errors=True)
            built.mkdir(parents=True)
            shutil.copy(package, built)
            buildah("build", "--isolation", "chroot", "--format", "docker", "--file", DOCKERFILE,
                    "--build-context", f"build={STORE / 'context'}", "--build-arg", f"RUNTIME_IMAGE={base}",
                    "--tag", name, STORE / "context")
        if container not in buildah("containers", "--format", "{{.ContainerName}}").split():
            buildah("from", "--name", container, name)
        return pathlib.Path(buildah("mount", container))


#: Runs as PID 1 of a namespace of its own: $1 is the image's root, $2 the folders that are volumes, the rest is what to run.
ENTER = """
root=$1 volumes=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for folder in $volumes; do mount -t tmpfs -o mode=0700,uid=65532,gid=65532 tmpfs "$root$folder"; done
exec chroot "$root" setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set -all --inh-caps -all --no-new-privs -- "$@"
"""


class ContainedProxy(Proxy):
    """The image's entry point as a container runtime starts it: PID 1, uid 65532, a read-only root, no capabilities, and
    only the image's environment."""

    def __init__(self, folder: pathlib.Path, root: pathlib.Path, volumes: list[str]):
        self.root, self.volumes = root, volumes
        super().__init__(folder, {})

    def command(self, line):
        addresses = [flag for flag in line if "-listen-addr=" in flag]
        environment = [f"{name}={folder}" for name, folder in FOLDERS.items()]
        return ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--", "bash", "-euc", ENTER, "container",
                str(self.root), " ".join(self.volumes), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *environment,
                "/usr/sbin/fodc-proxy", *addresses]

    @property
    def init(self) -> int:
        """PID 1 of the container, by its number outside."""
        (child,) = children(self.pid)
        return child["pid"]

    def signal(self, number: int):
        os.kill(self.init, number)

    def workers(self, role=None):
        self.remember()
        return sorted((p for p in children(self.init) if role is None or p["name"] == f"fodc-{role}"), key=lambda p: p["pid"])

    def execute(self, script: str) -> subprocess.CompletedProcess:
        """As `kubectl exec` does: a process that comes into the container's namespaces from outside."""
        return subprocess.run(
            ["nsenter", "--target", str(self.init), "--pid", "--mount", "--root", "--wd", f"--setuid={USER}", f"--setgid={USER}",
             "--", "sh", "-c", script],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def zombies(self) -> list[int]:
        """Ended children of PID 1 that it has not reaped."""
        parent, found = self.init, []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if state == "Z" and int(ppid) == parent:
                    found.append(int(entry.name))
        return found
