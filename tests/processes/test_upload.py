"""A resumable upload to a real server, which is killed in the middle of it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

pytestmark = pytest.mark.processes

MEGABYTE = 1024 * 1024
BEGIN = """
import json
from django.contrib.auth import get_user_model, login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from deliverystore.models import Delivery

user = get_user_model().objects.create_user("ada")
request = HttpRequest()
request.session = SessionStore()
login(request, user)
request.session.save()
print(json.dumps([request.session.session_key, Delivery.begin(user=user).pk]))
"""


class Site:
    """A server, and a person who is logged in there and uploads a file."""

    def __init__(self, project):
        self.project = project
        said = project.run("django", "shell", "--verbosity=0", "-c", BEGIN)
        session, self.delivery = json.loads(said)
        token = "a" * 32
        self.headers = {
            "Cookie": f"sessionid={session}; csrftoken={token}",
            "X-CSRFToken": token,
            "Tus-Resumable": "1.0.0",
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host, self.port = free.getsockname()

    @contextlib.contextmanager
    def running(self):
        """Serve in a process of its own, which is killed at the end."""
        address = f"{self.host}:{self.port}"
        options = ["--noreload", "--skip-checks", "--verbosity=0", address]
        process = self.project.start("django", "runserver", *options)
        try:
            self.wait_until(self.is_up)
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def is_up(self):
        try:
            return self.request("OPTIONS", f"/deliveries/{self.delivery}/uploads/")
        except ConnectionRefusedError:
            return None

    @staticmethod
    def wait_until(condition):
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def request(self, method, url, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, url, body, {**self.headers, **headers})
            response = connection.getresponse()
            response.read()
            return response

    def create(self, length):
        name = base64.b64encode(b"a.bin").decode()
        response = self.request(
            "POST",
            f"/deliveries/{self.delivery}/uploads/",
            Upload_Length=str(length),
            Upload_Metadata=f"filename {name}",
        )
        assert response.status == 201
        return response.headers["Location"]

    def offset(self, url):
        return int(self.request("HEAD", url).headers["Upload-Offset"])

    def patch(self, url, body, offset):
        octets = "application/offset+octet-stream"
        return self.request(
            "PATCH", url, body, Content_Type=octets, Upload_Offset=str(offset)
        )

    def patch_partly(self, url, body, length):
        """Announce length bytes, send fewer, and return the open connection."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        connection.putrequest("PATCH", url)
        for name, value in {
            **self.headers,
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
            "Upload-Offset": "0",
        }.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection


@pytest.fixture
def site(sqlite_project, tmp_path):
    sqlite_project.environment["DELIVERYSTORE_UPLOAD_ROOT"] = str(tmp_path / "uploads")
    return Site(sqlite_project)


def test_an_upload_goes_on_after_the_server_was_killed(site, tmp_path):
    data = b"".join(bytes([n]) * MEGABYTE for n in range(48))
    with site.running() as server:
        url = site.create(len(data))
        connection = site.patch_partly(url, data[: 40 * MEGABYTE], len(data))
        site.wait_until(lambda: site.offset(url))
        assert site.patch(url, b"", site.offset(url)).status == 423
        server.kill()
        server.wait()
        connection.close()

    with site.running():
        offset = site.offset(url)
        assert offset == 32 * MEGABYTE
        response = site.patch(url, data[offset:], offset)
        assert response.status == 204

    file = site.project.query("FileMeta.objects.values('pk', 'digest').get()")
    assert response.headers["Deliverystore-File"] == str(file["pk"])
    assert file["digest"] == f"sha256:{sha256(data).hexdigest()}"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_upload_goes_on_after_the_connection_broke(site):
    data = bytes(range(256)) * 4096
    with site.running():
        url = site.create(len(data))
        site.patch_partly(url, data[:700_000], len(data)).close()
        site.wait_until(lambda: site.offset(url))

        assert site.offset(url) == 700_000
        assert site.patch(url, data[700_000:], 700_000).status == 204
    digest = site.project.query("FileMeta.objects.get().digest")
    assert digest == f"sha256:{sha256(data).hexdigest()}"


def test_of_eight_at_once_one_goes_on(site):
    with site.running():
        url = site.create(2 * MEGABYTE)
        bodies = [bytes([n]) * MEGABYTE for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            sent = pool.map(lambda body: site.patch(url, body, 0).status, bodies)
            statuses = list(sent)

        assert statuses.count(204) == 1
        assert set(statuses) <= {204, 409, 423}
        winner = bodies[statuses.index(204)]
        assert site.patch(url, winner, MEGABYTE).status == 204
    digest = site.project.query("FileMeta.objects.get().digest")
    assert digest == f"sha256:{sha256(2 * winner).hexdigest()}"
