"""How fast a file is downloaded, beside Django's FileResponse on a bare file.

python -m benchmarks.download [--mib 1024] [--repeat 5]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from benchmarks.project import project

MIB = 1024 * 1024


def main() -> None:
    """Serve one file in two ways by Django's own server, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--repeat", type=int, default=5, help="the median counts")
    options = parser.parse_args()
    middleware = "benchmarks.site.everything_is_allowed"
    with project(ROOT_URLCONF="benchmarks.site", MIDDLEWARE=[middleware]) as folder:
        ways = {
            "FileResponse on the bare file": bare_file(folder, options.mib),
            "deliverystore's view, digest compared": handed_in(options.mib),
        }
        with serving() as port:
            rates = measured(port, ways, options.mib, options.repeat)
    first = next(iter(rates.values()))
    print(f"\none file of {options.mib} MiB: MiB/s, and the ratio to the first line")
    for name, rate in rates.items():
        print(f"  {name:<48} {rate:>9,.0f} {rate / first:>6.2f}")


def bare_file(folder: Path, mib: int) -> str:
    """Write a file and return the URL at which FileResponse sends it."""
    with (folder / "bare").open("wb") as file:
        for block in blocks(mib):
            file.write(block)
    return f"/bare{folder}/bare"


def handed_in(mib: int) -> str:
    """Hand a file in and return the URL of its download."""
    from deliverystore.models import Delivery

    delivery = Delivery.begin()
    file = delivery.add_file("large", blocks(mib))
    delivery.finish()
    return f"/deliveries/files/{file.pk}/"


def blocks(mib: int) -> Iterator[bytes]:
    """Yield random bytes, a MiB at a time."""
    block = os.urandom(MIB)
    for _ in range(mib):
        yield block


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """Run Django's development server in a process of its own; give its port."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    process = get_context("fork").Process(target=serve, args=[server])
    process.start()
    try:
        yield server.server_address[1]
    finally:
        process.kill()
        process.join()
        server.server_close()


def serve(server: ThreadedWSGIServer) -> None:
    """Answer until killed, silently."""
    from django.core.wsgi import get_wsgi_application

    WSGIRequestHandler.log_message = lambda *args: None  # type: ignore[method-assign]
    server.set_app(get_wsgi_application())
    server.serve_forever()


def measured(
    port: int, ways: dict[str, str], mib: int, repeat: int
) -> dict[str, float]:
    """Return the MiB/s of each way, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat + 1):
        for name, url in ways.items():
            times[name].append(seconds(port, url, mib))
    # The first round warms both.
    return {name: mib / median(found[1:]) for name, found in times.items()}


def seconds(port: int, url: str, mib: int) -> float:
    """Download once and return how long it took."""
    buffer = bytearray(MIB)
    start = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
        client.request("GET", url)
        response = client.getresponse()
        size = 0
        while count := response.readinto(buffer):
            size += count
    assert (response.status, size) == (200, mib * MIB), (response.status, size)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
