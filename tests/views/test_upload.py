"""Resumable uploads over HTTP, by the sentences of the tus protocol."""

from __future__ import annotations

import base64
import fcntl
import io
import tracemalloc
import uuid
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.models import Delivery, Upload
from deliverystore.views.upload import UploadView
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("upload_root")]

TEXT = b"What I did in my holidays"
OCTETS = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def delivery(user):
    return Delivery.begin(user=user)


@pytest.fixture
def client(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def endpoint(delivery):
    return reverse("deliverystore:uploads", args=[delivery.pk])


def metadata(filename="a.txt", more=""):
    return f"filename {base64.b64encode(filename.encode()).decode()}{more}"


def create(client, endpoint, body=b"", content_type="", **headers):
    headers = {"Upload-Length": "25", "Upload-Metadata": metadata(), **headers}
    return client.generic(
        "POST", endpoint, body, content_type, headers={**TUS, **headers}
    )


def head(client, url, **headers):
    return client.head(url, headers={**TUS, **headers})


def patch(client, url, body, offset, content_type=OCTETS, **headers):
    headers = {**TUS, "Upload-Offset": str(offset), **headers}
    return client.generic(
        "PATCH", url, body, headers=headers, CONTENT_TYPE=content_type
    )


def patch_raw(client, url, stream, offset=0, **environ):
    """Send whatever the server reads from a stream."""
    return client.generic(
        "PATCH",
        url,
        headers={**TUS, "Upload-Offset": str(offset)},
        **{"wsgi.input": stream, "CONTENT_TYPE": OCTETS, **environ},
    )


def contents(delivery):
    return {row.filename: row.get_all_data_as_string() for row in delivery.files.all()}


@pytest.fixture
def url(client, endpoint):
    return create(client, endpoint).headers["Location"]


class TestHead:
    def test_it_always_has_the_offset_and_the_length(self, client, url):
        response = head(client, url)

        assert response.status_code == 200
        assert response.headers["Upload-Offset"] == "0"
        assert response.headers["Upload-Length"] == "25"
        patch(client, url, TEXT[:10], 0)
        assert head(client, url).headers["Upload-Offset"] == "10"

    def test_it_has_the_offset_also_when_the_upload_is_complete(
        self, client, url, delivery
    ):
        patch(client, url, TEXT, 0)
        response = head(client, url)

        assert response.status_code == 200
        assert response.headers["Upload-Offset"] == "25"
        file = str(delivery.files.get().pk)
        assert response.headers["Deliverystore-File"] == file

    def test_it_cannot_be_cached(self, client, url):
        assert head(client, url).headers["Cache-Control"] == "no-store"

    def test_it_repeats_the_metadata(self, client, endpoint):
        sent = metadata(more=", type dGV4dA==,is_confidential,empty ")
        created = create(client, endpoint, **{"Upload-Metadata": sent})
        response = head(client, created.headers["Location"])

        assert response.headers["Upload-Metadata"] == sent

    def test_an_unknown_upload_is_not_found_and_has_no_offset(self, client):
        response = head(client, reverse("deliverystore:upload", args=[uuid.uuid4()]))

        assert response.status_code == 404
        assert "Upload-Offset" not in response.headers


class TestPatch:
    def test_it_goes_on_at_the_offset(self, client, url, delivery):
        first = patch(client, url, TEXT[:10], 0)
        second = patch(client, url, TEXT[10:], 10)

        assert (first.status_code, first.headers["Upload-Offset"]) == (204, "10")
        assert "Deliverystore-File" not in first.headers
        assert (second.status_code, second.headers["Upload-Offset"]) == (204, "25")
        file = delivery.files.get()
        assert second.headers["Deliverystore-File"] == str(file.pk)
        assert contents(delivery) == {"a.txt": TEXT}

    @pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data"])
    def test_another_content_type_is_refused(self, client, url, content_type):
        response = patch(client, url, TEXT, 0, content_type)

        assert response.status_code == 415
        assert OCTETS in response.text
        assert head(client, url).headers["Upload-Offset"] == "0"

    @pytest.mark.parametrize(("offset", "body"), [(0, TEXT), (11, b"x"), (99, b"x")])
    def test_another_offset_is_a_conflict_and_changes_nothing(
        self, client, url, offset, body
    ):
        patch(client, url, TEXT[:10], 0)
        response = patch(client, url, body, offset)

        assert response.status_code == 409
        assert "10 bytes of 'a.txt' are kept" in response.text
        assert head(client, url).headers["Upload-Offset"] == "10"

    def test_an_unknown_upload_is_not_found(self, client):
        url = reverse("deliverystore:upload", args=[uuid.uuid4()])

        assert patch(client, url, b"", 0).status_code == 404

    def test_more_than_was_announced_is_refused(self, client, url):
        patch(client, url, TEXT[:10], 0)
        response = patch(client, url, TEXT, 10)

        assert response.status_code == 413
        assert response.text == "Content-Length is 25, but 15 bytes are missing."
        assert head(client, url).headers["Upload-Offset"] == "10"

    def test_an_upload_that_is_complete_can_be_completed_again(self, client, url):
        file = patch(client, url, TEXT, 0).headers["Deliverystore-File"]
        response = patch(client, url, b"", 25)

        assert response.status_code == 204
        assert response.headers["Deliverystore-File"] == file

    @pytest.mark.parametrize("error", [None, ConnectionResetError, TimeoutError])
    def test_what_came_before_the_connection_broke_is_kept(self, client, url, error):
        class Breaks(io.BytesIO):
            def read(self, size=-1):
                if not (chunk := super().read(size)) and error:
                    raise error
                return chunk

        response = patch_raw(client, url, Breaks(TEXT[:10]), CONTENT_LENGTH="25")

        assert response.headers["Upload-Offset"] == "10"
        assert head(client, url).headers["Upload-Offset"] == "10"

    def test_a_refused_file_says_why(self, client, url, delivery):
        delivery.add_file("A.txt", b"was quicker")
        response = patch(client, url, TEXT, 0)

        assert response.status_code == 422
        assert "already has 'A.txt'" in response.text
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert head(client, url).status_code == 404

    def test_an_upload_that_is_busy_is_locked(self, client, url):
        with Upload.objects.get().path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            response = patch(client, url, TEXT, 0)

        assert response.status_code == 423
        assert patch(client, url, TEXT, 0).status_code == 204


class TestChunkedBody:
    """Transfer-Encoding: chunked, without Content-Length."""

    def send(self, client, url, body, *, terminated=True):
        environ = {
            "wsgi.input_terminated": terminated,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        return patch_raw(client, url, io.BytesIO(body), **environ)

    def test_it_is_read_to_its_end(self, client, url):
        assert self.send(client, url, TEXT[:10]).headers["Upload-Offset"] == "10"

    def test_it_is_read_no_further_than_announced(self, client, url, delivery):
        response = self.send(client, url, TEXT + b" and after")

        assert response.headers["Upload-Offset"] == "25"
        assert contents(delivery) == {"a.txt": TEXT}

    def test_a_server_that_cannot_tell_its_end_refuses_it(self, client, url):
        response = self.send(client, url, TEXT, terminated=False)

        assert response.status_code == 411
        assert head(client, url).headers["Upload-Offset"] == "0"

    def test_asgi_knows_its_end(self, url, user):
        scope = {
            "type": "http",
            "method": "PATCH",
            "path": url,
            "headers": [
                (b"transfer-encoding", b"chunked"),
                (b"content-type", OCTETS.encode()),
                (b"tus-resumable", b"1.0.0"),
                (b"upload-offset", b"0"),
            ],
        }
        request = ASGIRequest(scope, io.BytesIO(TEXT[:10]))
        request.user = user
        upload = Upload.objects.get()

        response = UploadView.as_view()(request, pk=upload.pk)

        assert response.headers["Upload-Offset"] == "10"


class TestOptions:
    def test_it_says_what_the_server_can(self, endpoint, url):
        for one in (endpoint, url):
            response = Client().options(one)

            assert response.status_code == 204
            assert response.headers["Tus-Version"] == "1.0.0"
            assert set(response.headers["Tus-Extension"].split(",")) == {
                "creation",
                "creation-with-upload",
                "expiration",
                "termination",
            }
            assert "Tus-Max-Size" not in response.headers

    def test_it_ignores_the_version_of_the_client(self, client, endpoint):
        headers = {"Tus-Resumable": "0.2.1"}

        assert client.options(endpoint, headers=headers).status_code == 204

    @pytest.mark.parametrize(
        "name", ["MAX_FILE_BYTES", "MAX_DELIVERY_BYTES", "USER_QUOTA_BYTES"]
    )
    def test_it_says_the_narrowest_limit(self, client, endpoint, settings, name):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 1000
        setattr(settings, f"DELIVERY_STORE_{name}", 10)

        assert client.options(endpoint).headers["Tus-Max-Size"] == "10"


class TestVersion:
    @pytest.mark.parametrize("version", ["0.2.2", "1.0", "", None])
    def test_another_version_is_refused_and_nothing_is_done(
        self, client, endpoint, url, version
    ):
        headers = {} if version is None else {"Tus-Resumable": version}
        created = {"Upload-Length": "5", "Upload-Metadata": metadata("b.txt")}
        for method, one, more in [
            ("POST", endpoint, created),
            ("HEAD", url, {}),
            ("PATCH", url, {"Upload-Offset": "0"}),
            ("DELETE", url, {}),
        ]:
            response = client.generic(
                method, one, b"", OCTETS, headers={**headers, **more}
            )

            assert response.status_code == 412
            assert response.headers["Tus-Version"] == "1.0.0"
        assert Upload.objects.count() == 1

    def test_every_response_has_it(self, client, endpoint, url):
        responses = [
            create(client, endpoint),
            create(client, endpoint, **{"Upload-Length": "x"}),
            create(Client(), endpoint),
            head(client, url),
            patch(client, url, b"", 7),
            client.get(url, headers=TUS),
            client.put(url, headers=TUS),
            head(client, reverse("deliverystore:upload", args=[uuid.uuid4()])),
        ]

        statuses = [response.status_code for response in responses]
        assert statuses == [201, 400, 403, 404, 404, 405, 405, 404]
        versions = {response.headers["Tus-Resumable"] for response in responses}
        assert versions == {"1.0.0"}


class TestMethodOverride:
    """Some environments can send neither PATCH nor DELETE."""

    def test_the_override_counts(self, client, url):
        override = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
        response = client.generic(
            "POST", url, TEXT[:10], OCTETS, headers={**TUS, **override}
        )

        assert response.status_code == 204
        assert response.headers["Upload-Offset"] == "10"

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_it_does_not_lead_around_the_csrf_token(self, client, url, method):
        headers = {**TUS, "X-HTTP-Method-Override": "DELETE"}
        client.generic(method, url, headers=headers)

        assert Upload.objects.exists()


class TestCreation:
    def test_it_answers_where_the_upload_is(self, client, endpoint, upload_root):
        response = create(client, endpoint)

        upload = Upload.objects.get()
        assert response.status_code == 201
        url = reverse("deliverystore:upload", args=[upload.pk])
        assert response.headers["Location"] == url
        assert response.headers["Upload-Offset"] == "0"
        assert (upload.filename, upload.length) == ("a.txt", 25)
        assert upload.path.parent == upload_root

    def test_a_filename_may_be_in_any_script(self, client, endpoint):
        create(client, endpoint, **{"Upload-Metadata": metadata("Être, 是.txt")})

        assert Upload.objects.get().filename == "Être, 是.txt"

    def test_an_empty_file_is_handed_in_at_once(self, client, endpoint, delivery):
        response = create(client, endpoint, **{"Upload-Length": "0"})

        assert response.status_code == 201
        assert response.headers["Upload-Offset"] == "0"
        file = str(delivery.files.get().pk)
        assert response.headers["Deliverystore-File"] == file

    def test_what_is_too_long_is_refused(self, client, endpoint, settings):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 24
        response = create(client, endpoint)

        assert response.status_code == 413
        assert "at most 24 bytes" in response.text
        assert not Upload.objects.exists()

    @pytest.mark.parametrize(
        ("name", "value"),
        [("ALLOWED_EXTENSIONS", [".pdf"]), ("MAX_FILES", 0)],
    )
    def test_what_else_is_not_allowed_is_refused(
        self, client, endpoint, settings, name, value
    ):
        setattr(settings, f"DELIVERY_STORE_{name}", value)

        assert create(client, endpoint).status_code == 422

    def test_a_finished_delivery_is_refused(self, client, endpoint, delivery):
        delivery.add_file("b.txt", b"b")
        delivery.finish()

        assert create(client, endpoint).status_code == 422

    def test_a_filename_that_cannot_be_is_refused(self, client, endpoint):
        headers = {"Upload-Metadata": metadata("../a.txt")}

        assert create(client, endpoint, **headers).status_code == 422

    @pytest.mark.parametrize("deferred", ["1", "0", "x"])
    def test_the_length_cannot_be_deferred(self, client, endpoint, deferred):
        headers = {"Upload-Defer-Length": deferred}
        response = create(client, endpoint, **headers)

        assert response.status_code == 400
        assert "Upload-Defer-Length" in response.text


class TestCreationWithUpload:
    def test_a_first_part_may_come_along(self, client, endpoint):
        response = create(client, endpoint, TEXT[:10], OCTETS)

        assert response.status_code == 201
        assert response.headers["Upload-Offset"] == "10"
        url = response.headers["Location"]
        assert patch(client, url, TEXT[10:], 10).status_code == 204

    def test_all_may_come_along(self, client, endpoint, delivery):
        response = create(client, endpoint, TEXT, OCTETS)

        assert response.status_code == 201
        assert response.headers["Upload-Offset"] == "25"
        assert contents(delivery) == {"a.txt": TEXT}

    def test_another_content_type_is_refused(self, client, endpoint):
        assert create(client, endpoint, TEXT, "text/plain").status_code == 415
        assert not Upload.objects.exists()

    def test_more_than_was_announced_is_refused(self, client, endpoint):
        assert create(client, endpoint, TEXT + b"!", OCTETS).status_code == 413
        assert not Upload.objects.exists()


class TestExpiration:
    def test_creation_and_patch_say_until_when(
        self, client, endpoint, delivery, settings
    ):
        settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(days=3)
        created = create(client, endpoint)
        patched = patch(client, created.headers["Location"], TEXT[:10], 0)

        for response in (created, patched):
            header = response.headers["Upload-Expires"]
            assert header.endswith(" GMT")
            until = parsedate_to_datetime(header) - delivery.created
            assert abs(until - timedelta(days=3)) < timedelta(seconds=2)

    def test_a_complete_upload_does_not_expire(self, client, url):
        assert "Upload-Expires" not in patch(client, url, TEXT, 0).headers


class TestTermination:
    def test_the_upload_is_gone_afterwards(self, client, url, upload_root):
        patch(client, url, TEXT[:10], 0)

        assert client.delete(url, headers=TUS).status_code == 204
        assert head(client, url).status_code == 404
        assert client.delete(url, headers=TUS).status_code == 404
        assert list(upload_root.iterdir()) == []

    def test_a_complete_upload_can_be_terminated(self, client, url, delivery):
        patch(client, url, TEXT, 0)

        assert client.delete(url, headers=TUS).status_code == 204
        assert contents(delivery) == {}

    def test_what_is_handed_in_for_good_cannot(self, client, url, delivery):
        patch(client, url, TEXT, 0)
        delivery.finish()

        assert client.delete(url, headers=TUS).status_code == 422
        assert contents(delivery) == {"a.txt": TEXT}


BAD_NUMBERS = [
    "",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "x",
    "\u0661",
    "9" * 19,
    "9" * 30,
    "1\r\n2",
]


class TestBadHeaders:
    """Whatever is sent, the answer names the header, and nothing is changed."""

    @pytest.mark.parametrize("value", BAD_NUMBERS)
    def test_a_length_that_is_none(self, client, endpoint, value):
        response = create(client, endpoint, **{"Upload-Length": value})

        assert response.status_code == 400
        assert response.text.startswith("Upload-Length must be")
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("value", BAD_NUMBERS)
    def test_an_offset_that_is_none(self, client, url, value):
        response = patch(client, url, TEXT, value)

        assert response.status_code == 400
        assert response.text.startswith("Upload-Offset must be")

    def test_a_length_of_the_body_that_is_none(self, client, url):
        response = patch(client, url, TEXT, 0, **{"Content-Length": "-1"})

        assert response.status_code == 400
        assert response.text.startswith("Content-Length must be")

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "filename",
            "name YQ==",
            "filename %%%",
            "filename YQ",
            "filename =",
            "filename /w==",
            "filename YQ==,filename Yg==",
            "filename  YQ==",
            "filename YQ==,",
            "filename YQ==,é YQ==",
            "filename YQ==\r\nSet-Cookie: a=b",
            "filename YQ==,x\r\ny YQ==",
            ",",
        ],
    )
    def test_metadata_that_are_none(self, client, endpoint, value):
        response = create(client, endpoint, **{"Upload-Metadata": value})

        assert response.status_code in {400, 422}
        if response.status_code == 400:
            assert "Upload-Metadata" in response.text
        assert not Upload.objects.exists()

    @given(value=st.text(max_size=30), name=st.sampled_from(["Length", "Metadata"]))
    def test_anything(self, value, name):
        user = UserFactory()
        client = Client()
        client.force_login(user)
        delivery = Delivery.begin(user=user)
        endpoint = reverse("deliverystore:uploads", args=[delivery.pk])

        response = create(client, endpoint, **{f"Upload-{name}": value})

        assert response.status_code in {201, 400, 422}


class TestAccess:
    def test_uploads_of_others_are_not_found(self, endpoint, url):
        stranger = Client()
        stranger.force_login(UserFactory())
        nowhere = reverse("deliverystore:uploads", args=[10**20])

        responses = [
            create(stranger, endpoint),
            head(stranger, url),
            patch(stranger, url, TEXT, 0),
            stranger.delete(url, headers=TUS),
            create(stranger, nowhere),
        ]

        assert {response.status_code for response in responses} == {404}
        texts = {response.text for response in responses if response.text}
        assert texts == {"There is no such delivery or upload."}
        assert Upload.objects.get().offset == 0

    def test_who_is_not_logged_in_is_told_so(self, endpoint, url):
        for response in (create(Client(), endpoint), head(Client(), url)):
            assert response.status_code == 403

    def test_the_csrf_token_is_asked_for(self, endpoint, url, user):
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        responses = [
            create(client, endpoint),
            patch(client, url, TEXT, 0),
            client.delete(url, headers=TUS),
        ]

        assert [response.status_code for response in responses] == [403] * 3
        token = "a" * 32
        client.cookies["csrftoken"] = token
        with_token = {"X-CSRFToken": token, "Upload-Metadata": metadata("b.txt")}
        created = create(client, endpoint, TEXT, OCTETS, **with_token)
        assert created.headers["Upload-Offset"] == "25"
        assert patch(client, url, TEXT, 0, **{"X-CSRFToken": token}).status_code == 204

    def test_without_a_folder_for_uploads_there_are_none(
        self, client, endpoint, url, settings
    ):
        settings.DELIVERY_STORE_UPLOAD_ROOT = None

        assert create(client, endpoint).status_code == 404
        assert head(client, url).status_code == 404
        assert client.options(endpoint).status_code == 404


class Endless(io.RawIOBase):
    """A body that is made while it is read."""

    def read(self, size=-1):
        assert 0 < size <= 1024 * 1024
        return bytes(size)


def test_a_hundred_megabytes_pass_with_flat_memory(client, endpoint, delivery):
    size = 100 * 1024 * 1024
    created = create(client, endpoint, **{"Upload-Length": str(size)})
    url = created.headers["Location"]

    tracemalloc.start()
    response = patch_raw(client, url, Endless(), CONTENT_LENGTH=str(size))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert response.headers["Upload-Offset"] == str(size)
    assert delivery.files.get().size == size
    assert peak < 32 * 1024 * 1024


def test_the_request_is_no_transaction(client, url, monkeypatch):
    """What was synced counts at once, also where ATOMIC_REQUESTS is set."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    depth = len(connection.savepoint_ids)

    class Looks(io.BytesIO):
        def read(self, size=-1):
            assert len(connection.savepoint_ids) == depth
            return super().read(size)

    response = patch_raw(client, url, Looks(TEXT), CONTENT_LENGTH="25")

    assert response.status_code == 204
