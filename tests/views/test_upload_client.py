"""upload.js in a real browser, over connections that break."""

from __future__ import annotations

import contextlib
import itertools
import socket
import socketserver
import threading
from hashlib import sha256

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from deliverystore.models import Delivery, Upload
from tests.browser import browser, page, screen  # noqa: F401 - fixtures
from tests.docs.pages import DOCS, blocks_of
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("upload_root"),
]

# Makes a file of the size, uploads it, and returns what came of it.
UPLOAD = """async ({ endpoint, size, name = "Être.bin", ...options }) => {
    const { upload } = await import("/static/deliverystore/upload.js");
    const data = new Uint8Array(size).map((_, index) => index % 251);
    const file = new File([data], name, { lastModified: 1 });
    const csrfToken = document.cookie.match(/csrftoken=(\\w+)/)[1];
    const told = [];
    const controller = new AbortController();
    const onProgress = (sent, total) => {
        told.push([sent, total]);
        if (sent > (options.pauseAfter ?? Infinity)) controller.abort();
    };
    const { signal } = controller;
    try {
        const all = { endpoint, csrfToken, onProgress, signal, ...options };
        return { id: await upload(file, all), told };
    } catch (error) {
        return { name: error.name, message: error.message, status: error.status, told };
    }
}"""
SIZE = 3_000_000


def data(size=SIZE):
    return bytes(index % 251 for index in range(size))


class BreakingProxy(socketserver.ThreadingTCPServer):
    """Passes connections on to a server, and breaks some after so many bytes."""

    def __init__(self, behind):
        super().__init__(("127.0.0.1", 0), _Connection)
        self.behind = behind
        self.break_after = []
        self.sockets = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def is_time_to_break(self, passed):
        if is_time := bool(self.break_after) and passed > self.break_after[0]:
            self.break_after.pop(0)
        return is_time

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.serve_forever, args=[0.05])
        thread.start()
        yield self
        self.shutdown()
        thread.join()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: BreakingProxy

    def handle(self):
        with socket.create_connection(self.server.behind) as behind:
            self.server.sockets += [self.request, behind]
            answers = threading.Thread(target=self.pass_answers, args=[behind])
            answers.start()
            self.pass_requests(behind)
            answers.join()

    def pass_requests(self, behind):
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := self.request.recv(65536):
                passed += len(chunk)
                behind.sendall(chunk)
                if self.server.is_time_to_break(passed):
                    self.request.shutdown(socket.SHUT_RDWR)
                    break
            behind.shutdown(socket.SHUT_WR)

    def pass_answers(self, behind):
        with contextlib.suppress(OSError):
            while chunk := behind.recv(65536):
                self.request.sendall(chunk)
            self.request.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(live_server):
    server = live_server.thread
    with BreakingProxy((server.host, server.port)).running() as proxy:
        yield proxy


@pytest.fixture
def delivery():
    return Delivery.begin(user=UserFactory())


@pytest.fixture
def upload(page, proxy, delivery):  # noqa: F811
    """Return how to upload a file in a page of who owns the delivery."""
    client = Client()
    client.force_login(delivery.delivered_by)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    token = {"name": "csrftoken", "value": "a" * 32}
    page.context.add_cookies([{**one, "url": proxy.url} for one in (session, token)])
    page.goto(f"{proxy.url}/static/deliverystore/pages.css")
    endpoint = reverse("deliverystore:uploads", args=[delivery.pk])

    def upload(**options):
        return page.evaluate(UPLOAD, {"endpoint": endpoint, "size": SIZE, **options})

    return upload


def test_a_file_comes_whole(upload, delivery):
    said = upload(chunkSize=1_000_000)

    file = delivery.files.get()
    assert said["id"] == file.pk
    assert (file.filename, file.size) == ("Être.bin", SIZE)
    assert file.digest == f"sha256:{sha256(data()).hexdigest()}"
    sent = [one for one, _ in said["told"]]
    assert (sent[0], sent[-1]) == (0, SIZE)
    assert sent == sorted(sent)
    assert {total for _, total in said["told"]} == {SIZE}


def test_an_empty_file_comes_too(upload, delivery):
    said = upload(size=0)

    assert said["id"] == delivery.files.get().pk
    assert delivery.files.get().size == 0


@pytest.mark.parametrize("break_after", [[100_000], [1_000_000, 800_000]])
def test_a_file_comes_whole_over_a_connection_that_breaks(
    upload, delivery, proxy, break_after
):
    proxy.break_after = break_after
    said = upload()

    assert proxy.break_after == []
    assert said["id"] == delivery.files.get().pk
    assert delivery.files.get().get_all_data_as_string() == data()


def test_what_came_before_the_break_is_not_sent_again(upload, delivery, proxy):
    proxy.break_after = [2_000_000]
    said = upload()

    sent = [one for one, _ in said["told"]]
    steps_back = [now for last, now in itertools.pairwise(sent) if now < last]
    assert all(again > 1_000_000 for again in steps_back)
    assert proxy.break_after == []


def test_an_upload_goes_on_in_another_page(upload, delivery, page):  # noqa: F811
    paused = upload(chunkSize=1_000_000, pauseAfter=1_500_000)
    page.reload()
    said = upload(chunkSize=1_000_000)

    assert paused["name"] == "AbortError"
    assert 1_000_000 <= said["told"][0][0] < SIZE
    assert said["id"] == delivery.files.get().pk
    assert delivery.files.get().get_all_data_as_string() == data()
    assert page.evaluate("localStorage.length") == 0


def test_an_upload_that_is_gone_begins_again(upload, delivery):
    upload(chunkSize=1_000_000, pauseAfter=1_500_000)
    Upload.objects.all().delete()
    said = upload()

    assert said["told"][0] == [0, SIZE]
    assert said["id"] == delivery.files.get().pk


def test_an_upload_whose_last_answer_was_lost_is_done(upload, delivery, page):  # noqa: F811
    page.evaluate("Storage.prototype.removeItem = () => {}")
    first = upload()
    page.reload()
    said = upload()

    assert said["id"] == first["id"]
    assert said["told"] == [[SIZE, SIZE]]
    assert page.evaluate("localStorage.length") == 0


def test_the_page_in_the_documentation_works(upload, page, proxy, delivery):  # noqa: F811
    [block] = blocks_of(DOCS / "how-to" / "resume-uploads.md", "html")
    context = {"delivery": delivery, "csrf_token": "a" * 32}
    html = Template(block.parsed).render(Context(context))
    page.route(
        "**/page", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    page.goto(f"{proxy.url}/page")

    essay = {"name": "essay.txt", "mimeType": "text/plain", "buffer": b"holidays"}
    page.locator("input").set_input_files(essay)
    expect(page.locator("output")).to_have_text("essay.txt is there.")
    assert page.locator("progress").evaluate("one => one.value") == 1
    assert delivery.files.get().get_all_data_as_string() == b"holidays"
    page.evaluate("document.querySelector('input').value = ''")
    page.locator("input").set_input_files({**essay, "buffer": b"others"})
    expect(page.locator("output")).to_contain_text("already has 'essay.txt'")


def test_a_refusal_says_why(upload, delivery, settings):
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 1000
    said = upload()

    assert said["name"] == "UploadError"
    assert said["status"] == 413
    assert "at most 1,000 bytes" in said["message"]


def test_a_page_of_the_site_is_no_reason_to_show(upload):
    said = upload(endpoint="/nowhere/")

    assert (said["status"], said["message"]) == (404, "HTTP 404")
