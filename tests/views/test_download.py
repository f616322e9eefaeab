"""The download of one file, as browsers and attackers ask for it."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from http.client import HTTPConnection, IncompleteRead
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import reverse
from django.utils.http import http_date

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.exceptions import FileDamaged
from deliverystore.models import Condition, FileMeta
from deliverystore.testing import override_delivery_store
from deliverystore.views.download import download
from tests.factories import UserFactory, finished_delivery

pytestmark = pytest.mark.django_db

MEBIBYTE = 1024 * 1024
DATA = b"0123456789"


@pytest.fixture
def user():
    return UserFactory(username="ada")


@pytest.fixture
def file(user):
    return handed_in(user, "notes.txt", DATA)


@pytest.fixture
def ada(client, user):
    client.force_login(user)
    return client


class Counted(BytesIO):
    count = 0

    def read(self, size=-1, /):
        chunk = super().read(size)
        self.count += len(chunk)
        return chunk


class RecordingStore(MemoryDeliveryStore):
    """Remembers which files were opened."""

    def __init__(self):
        super().__init__()
        self.opened = []

    def _open(self, name, mode="rb"):
        with super()._open(name, mode) as file:
            self.opened.append(Counted(file.read()))
        return File(self.opened[-1])


def handed_in(user, filename, data):
    return finished_delivery(files=[(filename, data)], user=user).files.get()


def url_of(file):
    return reverse("deliverystore:download", args=[file.pk])


def overwrite(file, data):
    with FileMeta.deliverystore.write_open(file) as stored:
        stored.write(data)


def may_download(user):
    user.user_permissions.add(Permission.objects.get(codename="download_delivery"))


# -- Who ---------------------------------------------------------------------------


def test_who_handed_a_file_in_gets_it(ada, file):
    response = ada.get(url_of(file))

    assert response.status_code == 200
    assert response.getvalue() == DATA


def test_who_has_the_permission_gets_it(client, file):
    teacher = UserFactory()
    may_download(teacher)
    client.force_login(teacher)

    assert client.get(url_of(file)).getvalue() == DATA


def test_somebody_else_is_refused(client, file):
    client.force_login(UserFactory())

    assert client.get(url_of(file)).status_code == 403


def test_a_stranger_is_sent_to_the_login_and_back(client, file):
    response = client.get(url_of(file))

    assert response.status_code == 302
    assert response.url == f"/accounts/login/?next={url_of(file)}"


@pytest.mark.parametrize("pk", [0, 999, 2**63, 10**30])
def test_who_may_not_download_does_not_learn_what_exists(client, file, pk):
    client.force_login(UserFactory())

    nothing = client.get(reverse("deliverystore:download", args=[pk]))
    something = client.get(url_of(file))

    assert nothing.status_code == something.status_code == 403
    assert nothing.content == something.content


@pytest.mark.parametrize("pk", [0, 999, 2**63, 10**30])
def test_who_may_download_all_learns_that_there_is_none(ada, user, pk):
    may_download(user)

    assert ada.get(reverse("deliverystore:download", args=[pk])).status_code == 404


def test_a_number_of_too_many_digits_is_not_found(ada):
    assert ada.get(f"/deliveries/files/{'9' * 5000}/").status_code == 404


def test_a_file_that_is_being_received_is_not_found(ada, file):
    unfinished = FileMeta.objects.create(delivery=file.delivery, filename="x")

    assert ada.get(url_of(unfinished)).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_only_get_and_head_are_answered(ada, file, method):
    assert getattr(ada, method)(url_of(file)).status_code == 405


def test_no_permission_no_etag(client, file):
    client.force_login(UserFactory())
    response = client.get(url_of(file), headers={"If-None-Match": f'"{file.digest}"'})

    assert response.status_code == 403
    assert "ETag" not in response.headers


# -- What --------------------------------------------------------------------------


def test_a_browser_saves_it_and_runs_nothing(ada, user):
    response = ada.get(url_of(handed_in(user, "evil.html", b"<script>1</script>")))

    assert response.headers["Content-Disposition"] == 'attachment; filename="evil.html"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["Cache-Control"].startswith("private, no-cache")
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["Content-Length"] == "18"
    response.getvalue()


def test_a_range_is_not_compressed_by_a_middleware(user, client, settings):
    middleware = "django.middleware.gzip.GZipMiddleware"
    settings.MIDDLEWARE = [middleware, *settings.MIDDLEWARE]
    file = handed_in(user, "notes.txt", DATA * 100)
    client.force_login(user)

    headers = {"Range": "bytes=0-499", "Accept-Encoding": "gzip"}
    response = client.get(url_of(file), headers=headers)

    assert response.status_code == 206
    assert response.headers["Content-Length"] == "500"
    assert response.getvalue() == DATA * 50


def test_without_the_package_of_its_digest_a_file_is_not_given_out(
    ada, user, settings, monkeypatch
):
    settings.DELIVERY_STORE_DIGEST = "blake3"
    file = handed_in(user, "notes.txt", DATA)
    monkeypatch.setitem(sys.modules, "blake3", None)

    response = ada.get(url_of(file))

    assert response.status_code == 500
    assert "cannot be read at the moment" in response.text
    assert file.verify() is Condition.UNREADABLE


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ('quo"te.txt', 'attachment; filename="quo\\"te.txt"'),
        (
            "Отчёт.txt",
            "attachment; filename*=utf-8''%D0%9E%D1%82%D1%87%D1%91%D1%82.txt",
        ),
        ("a;b=c%20.txt", 'attachment; filename="a;b=c%20.txt"'),
        ("🎉.txt", "attachment; filename*=utf-8''%F0%9F%8E%89.txt"),
    ],
)
def test_a_filename_of_any_script_arrives(ada, user, filename, expected):
    response = ada.get(url_of(handed_in(user, filename, b"x")))

    assert response.headers["Content-Disposition"] == expected
    response.getvalue()


def test_line_breaks_that_got_into_a_row_do_not_get_into_a_header(ada, file):
    FileMeta.objects.filter(pk=file.pk).update(filename="a\r\nSet-Cookie: x=1\n")

    response = ada.get(url_of(file))

    assert response.status_code == 200
    disposition = response.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="aSet-Cookie: x=1"'
    response.getvalue()


def test_head_tells_the_same_and_sends_nothing(ada, file):
    got, head = ada.get(url_of(file)), ada.head(url_of(file))

    assert head.status_code == 200
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)
    got.getvalue()


def test_an_empty_file_is_sent(ada, user):
    response = ada.get(
        url_of(handed_in(user, "empty", b"")), headers={"Range": "bytes=0-"}
    )

    assert (response.status_code, response.getvalue()) == (200, b"")
    assert response.headers["Content-Length"] == "0"


# -- Again -------------------------------------------------------------------------


def test_what_did_not_change_is_not_sent_again(ada, file):
    first = ada.get(url_of(file))
    first.getvalue()

    again = ada.get(url_of(file), headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == f'"{file.digest}"'
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


def test_last_modified_is_the_time_of_the_last_byte(ada, file):
    modified = http_date(file.completed.timestamp())

    response = ada.get(url_of(file), headers={"If-Modified-Since": modified})

    assert response.status_code == 304
    assert response.headers["Last-Modified"] == modified


def test_another_version_than_expected_is_refused(ada, file):
    response = ada.get(url_of(file), headers={"If-Match": '"sha256:0"'})

    assert response.status_code == 412


# -- Parts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "content", "content_range"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=5-999999999999999999999999", b"56789", "bytes 5-9/10"),
    ],
)
def test_a_range_is_sent(ada, file, header, content, content_range):
    response = ada.get(url_of(file), headers={"Range": header})

    assert response.status_code == 206
    assert response.getvalue() == content
    assert response.headers["Content-Range"] == content_range
    assert response.headers["Content-Length"] == str(len(content))


def test_a_range_behind_the_end_is_answered_with_the_size(ada, file):
    response = ada.get(url_of(file), headers={"Range": "bytes=10-"})

    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */10"


def test_several_ranges_are_answered_with_the_whole(ada, file):
    response = ada.get(url_of(file), headers={"Range": "bytes=0-1,3-4"})

    assert response.status_code == 200
    assert response.getvalue() == DATA


def test_head_knows_no_ranges(ada, file):
    response = ada.head(url_of(file), headers={"Range": "bytes=2-4"})

    assert response.status_code == 200
    assert response.headers["Content-Length"] == "10"


def test_a_range_is_sent_if_the_file_is_still_the_same(ada, file):
    def status(if_range):
        headers = {"Range": "bytes=2-4", "If-Range": if_range}
        response = ada.get(url_of(file), headers=headers)
        response.getvalue()
        return response.status_code

    assert status(f'"{file.digest}"') == 206
    assert status(http_date(file.completed.timestamp())) == 206
    assert status(f'W/"{file.digest}"') == 200
    assert status('"sha256:0"') == 200
    assert status("nonsense") == 200


def test_what_lies_before_a_range_is_not_read(ada, user):
    store = RecordingStore()
    with override_delivery_store(store):
        file = handed_in(user, "large", b"x" * MEBIBYTE + b"yz")
        response = ada.get(url_of(file), headers={"Range": f"bytes={MEBIBYTE}-"})

        assert response.getvalue() == b"yz"
    assert [one.count for one in store.opened] == [2]


# -- Damage ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_lost_file_is_a_fault_that_is_logged(ada, file, caplog, method):
    FileMeta.deliverystore.remove(file)

    response = getattr(ada, method)(url_of(file))

    assert response.status_code == 500
    assert "ETag" not in response.headers
    assert f"File {file.pk} cannot be downloaded" in caplog.text


def test_a_medium_that_fails_is_a_fault_that_is_logged(ada, user, caplog):
    class Failing(MemoryDeliveryStore):
        def _open(self, name, mode="rb"):
            raise OSError(5, "Input/output error")

    with override_delivery_store(Failing()):
        response = ada.get(url_of(handed_in(user, "notes.txt", DATA)))

    assert response.status_code == 500
    assert "Input/output error" in caplog.text
    assert b"Input" not in response.content


def test_a_damaged_small_file_is_a_fault_that_is_logged(ada, file, caplog):
    overwrite(file, b"0123456780")

    response = ada.get(url_of(file))

    assert response.status_code == 500
    assert "“notes.txt” is damaged in the store" in response.text
    assert "was changed in the store" in caplog.text


def test_a_missing_file_is_a_fault_that_is_logged(ada, file, caplog):
    FileMeta.deliverystore.remove(file)

    response = ada.get(url_of(file))

    assert response.status_code == 500
    assert "“notes.txt” is missing in the store" in response.text
    assert "cannot be downloaded" in caplog.text


def test_a_damaged_large_file_never_arrives_whole(ada, user, caplog):
    file = handed_in(user, "large", b"x" * 3 * MEBIBYTE)
    overwrite(file, b"x" * (3 * MEBIBYTE - 1) + b"y")
    received = []

    response = ada.get(url_of(file))
    with pytest.raises(FileDamaged):
        received.extend(response.streaming_content)

    assert sum(map(len, received)) < int(response.headers["Content-Length"])
    assert "broken off" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_client_notices_that_a_transfer_broke_off(live_server, client, user):
    file = handed_in(user, "large", b"x" * 3 * MEBIBYTE)
    overwrite(file, b"x" * (3 * MEBIBYTE - 1) + b"y")
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    host = live_server.url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=10)
    # Unlike servers for production, Django's would keep the connection alive.
    headers = {"Cookie": cookie, "Connection": "close"}
    connection.request("GET", url_of(file), headers=headers)

    with pytest.raises(IncompleteRead):
        connection.getresponse().read()
    connection.close()


def test_a_range_of_a_file_that_became_shorter_breaks_off(ada, user):
    file = handed_in(user, "large", b"x" * 3 * MEBIBYTE)
    overwrite(file, b"x" * 2 * MEBIBYTE)

    response = ada.get(url_of(file), headers={"Range": f"bytes=1-{3 * MEBIBYTE - 2}"})

    with pytest.raises(FileDamaged):
        response.getvalue()


# -- Large -------------------------------------------------------------------------


def large(user, mebibytes=64):
    return handed_in(user, "large.bin", (bytes(MEBIBYTE) for _ in range(mebibytes)))


def test_memory_stays_flat(ada, user):
    file = large(user)
    tracemalloc.start()
    try:
        sizes = [len(c) for c in ada.get(url_of(file)).streaming_content]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(sizes) == 64 * MEBIBYTE
    assert min(sizes) >= 64 * 1024
    assert peak < 16 * MEBIBYTE


def test_memory_stays_flat_below_asgi_too(user):
    file = large(user)
    request = AsyncRequestFactory().get(url_of(file))
    request.user = user
    assert isinstance(request, ASGIRequest)
    response = download(request, file.pk)
    assert isinstance(response, StreamingHttpResponse)

    async def receive():
        size = 0
        async for chunk in response:
            size += len(chunk)
        return size

    tracemalloc.start()
    try:
        assert asyncio.run(receive()) == 64 * MEBIBYTE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEBIBYTE


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_the_file_is_closed_when_the_client_goes_away(user, factory):
    store = RecordingStore()
    with override_delivery_store(store):
        file = handed_in(user, "large", bytes(3 * MEBIBYTE))
        request = factory().get(url_of(file))
        request.user = user

        download(request, file.pk).close()

    assert [one.closed for one in store.opened] == [True]
