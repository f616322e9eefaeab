"""A real object store for the tests: OpenStack Swift with three replicas, on loopback.

    .venv/bin/python .ci/swift.py start FOLDER          a new one, with a bucket
    .venv/bin/python .ci/swift.py stop FOLDER           all of it
    .venv/bin/python .ci/swift.py stop FOLDER object2   one server
    .venv/bin/python .ci/swift.py start FOLDER object2  that server again

FOLDER must be on a file system with extended attributes, such as ext4. It keeps the
programs between starts, and gets a file env.sh that tells the tests where the store is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import boto3

REQUIREMENTS = ["swift==2.38.3", "pyeclib==1.8.0"]
BUCKET = "deliveries"
ACCESS_KEY = "test:tester"
REPLICAS = 3
# One object server more than replicas: with one down there are still three places.
SERVERS = {
    "account": "account",
    "container": "container",
    **{f"object{n}": "object" for n in range(1, REPLICAS + 2)},
    "proxy": "proxy",
}
MODULES = {"object": "obj"}
SECONDS_TO_WAIT = 60

# Swift looks for its settings in /etc/swift unless it is told before its start.
LAUNCH = """\
import sys
from swift.common.utils import set_swift_dir
set_swift_dir(sys.argv.pop(1))
from swift.{module}.server import main
sys.exit(main())
"""
SETTINGS = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
user = {user}
log_address = {folder}/no-socket
devices = {folder}/data/{name}
mount_check = false
fallocate_reserve = 0
"""
STORAGE = """\
[pipeline:main]
pipeline = healthcheck {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
[filter:healthcheck]
use = egg:swift#healthcheck
"""
PROXY = """\
[pipeline:main]
pipeline = catch_errors healthcheck s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
node_timeout = 10
error_suppression_interval = 5
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
allow_async_delete = false
"""


def start(folder: Path) -> None:
    """Make a new cluster, start it, and say in env.sh where it is."""
    stop(folder, SERVERS)
    install(folder)
    for part in ("data", "log", "run"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir()
    ports, secret = dict(zip(SERVERS, free_ports(), strict=True)), secrets.token_hex(20)
    configure(folder, ports, secret)
    for kind in ("account", "container", "object"):
        build_ring(folder, kind, ports)
    launch(folder, SERVERS)
    make_bucket(endpoint := f"http://127.0.0.1:{ports['proxy']}", secret)
    node = shlex.join([sys.executable, str(Path(__file__).resolve())])
    settings = {
        "ENDPOINT": endpoint,
        "BUCKET": BUCKET,
        "ACCESS_KEY": ACCESS_KEY,
        "SECRET_KEY": secret,
        "STOP": f"{node} stop {shlex.quote(str(folder))} object2",
        "START": f"{node} start {shlex.quote(str(folder))} object2",
    }
    (folder / "env.sh").write_text(
        "".join(
            f"export DELIVERYSTORE_TEST_S3_{name}={shlex.quote(value)}\n"
            for name, value in settings.items()
        )
    )


def install(folder: Path) -> None:
    """Put Swift into an environment of its own, if it is not there."""
    if (done := folder / "installed").exists():
        return
    run(sys.executable, "-m", "venv", folder / "venv")
    pip = (folder / "venv/bin/python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", *REQUIREMENTS)
    done.touch()


def free_ports() -> list[int]:
    """Return a port for each server."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in SERVERS]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def configure(folder: Path, ports: dict[str, int], secret: str) -> None:
    """Write the settings of every server."""
    user = pwd.getpwuid(os.getuid()).pw_name
    (folder / "swift.conf").write_text(
        f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(20)}\n"
    )
    for name, kind in SERVERS.items():
        common = SETTINGS.format(port=ports[name], folder=folder, user=user, name=name)
        own = PROXY if kind == "proxy" else STORAGE
        (folder / f"{name}.conf").write_text(
            common + own.format(kind=kind, secret=secret)
        )
        (folder / f"{name}.port").write_text(str(ports[name]))


def build_ring(folder: Path, kind: str, ports: dict[str, int]) -> None:
    """Say where the replicas go: to disks of one server, or to several servers."""
    names = [name for name in SERVERS if SERVERS[name] == kind]
    count = REPLICAS if len(names) == 1 else 1
    disks = [(name, disk) for name in names for disk in range(1, count + 1)]
    for name, disk in disks:
        (folder / f"data/{name}/d{disk}").mkdir(parents=True)
    devices = [
        f"r1z{zone}-127.0.0.1:{ports[name]}/d{disk}"
        for zone, (name, disk) in enumerate(disks, start=1)
    ]
    weighed = [word for device in devices for word in (device, "1")]
    builder = folder / f"{kind}.builder"
    builder.unlink(missing_ok=True)
    for words in ["create", "6", str(REPLICAS), "0"], ["add", *weighed], ["rebalance"]:
        run(folder / "venv/bin/swift-ring-builder", builder, *words)


def run(*command: str | Path) -> None:
    """Run a command to its end; what it prints is not interesting."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def launch(folder: Path, names: Iterable[str]) -> None:
    """Start servers and wait until they answer."""
    for name in names:
        if answers(folder, name):
            continue
        kind = SERVERS[name]
        code = LAUNCH.format(module=MODULES.get(kind, kind))
        python, settings = folder / "venv/bin/python", folder / f"{name}.conf"
        with (folder / f"log/{name}").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [python, "-c", code, folder, settings, "-v"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (folder / f"run/{name}.pid").write_text(str(process.pid))
    deadline = time.monotonic() + SECONDS_TO_WAIT
    for name in names:
        while not answers(folder, name):
            if time.monotonic() > deadline:
                sys.exit(f"{name} does not answer: see {folder}/log/{name}")
            time.sleep(0.1)


def answers(folder: Path, name: str) -> bool:
    """Tell if a server is up."""
    port = (folder / f"{name}.port").read_text()
    url = f"http://127.0.0.1:{port}/healthcheck"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def make_bucket(endpoint: str, secret: str) -> None:
    """Make the bucket for the tests, which also shows that a write goes through."""
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    ).create_bucket(Bucket=BUCKET)


def stop(folder: Path, names: Iterable[str]) -> None:
    """End servers, and wait until they are gone."""
    for name in names:
        file = folder / f"run/{name}.pid"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = int(file.read_text())
            file.unlink()
            # The system may have given the number to somebody else meanwhile.
            if str(folder) in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
                while answers(folder, name):
                    time.sleep(0.1)


def main() -> None:
    """Do what the command line says, one command at a time."""
    match sys.argv[1:]:
        case ["start" | "stop" as action, path, *names]:
            folder = Path(path).resolve()
        case _:
            sys.exit(__doc__)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if action == "stop":
            stop(folder, names or SERVERS)
        elif names:
            launch(folder, names)
        else:
            start(folder)


if __name__ == "__main__":
    main()
