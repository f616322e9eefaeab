"""What may be handed in: at each border, while it streams, by its real kind."""

from __future__ import annotations

import io
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from deliverystore import limits
from deliverystore.exceptions import (
    DeliveryTooLarge,
    ExtensionNotAllowed,
    FileTooLarge,
    LimitExceeded,
    MissingExtra,
    QuotaExceeded,
    TooManyFiles,
    TypeNotAllowed,
)


def png():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def jpeg():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "JPEG")
    return file.getvalue()


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        # With a fixed date: what is tried with it is in the names of tests.
        zip_file.writestr(zipfile.ZipInfo("essay.txt"), "content")
    return file.getvalue()


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type /Catalog>>\nendobj\n%%EOF\n"
HTML = b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>"
TEXT = "What I did in my holidays: Äpfel gepflückt.\n".encode()


class Source:
    """Chunks that remember how many of them were asked for."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.asked_for = 0

    def __iter__(self):
        for chunk in self.chunks:
            self.asked_for += 1
            yield chunk


def passed_on(source, **options):
    received = []
    error = None
    try:
        received.extend(
            limits.check_chunks("essay.txt", source, limits.allowance(**options))
        )
    except LimitExceeded as refusal:
        error = refusal
    return b"".join(received), error


def allow(**options):
    return limits.allowance(**{"delivery_size": 0, **options})


class TestAllowance:
    def test_without_limits_all_is_allowed(self):
        allow().check("essay.txt", 2**62)

    @pytest.mark.parametrize(
        ("setting", "options", "error"),
        [
            ("MAX_FILE_BYTES", {}, FileTooLarge),
            ("MAX_DELIVERY_BYTES", {}, DeliveryTooLarge),
            ("MAX_DELIVERY_BYTES", {"delivery_size": 60}, DeliveryTooLarge),
            (
                "MAX_DELIVERY_BYTES",
                {"delivery_size": 40, "added": 20},
                DeliveryTooLarge,
            ),
            ("USER_QUOTA_BYTES", {"used_by_user": 0}, QuotaExceeded),
            ("USER_QUOTA_BYTES", {"used_by_user": 60}, QuotaExceeded),
            ("USER_QUOTA_BYTES", {"used_by_user": 40, "added": 20}, QuotaExceeded),
        ],
    )
    def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(
        self, settings, setting, options, error
    ):
        setattr(settings, f"DELIVERY_STORE_{setting}", 100)
        left = 100 - sum(options.values())

        allow(**options).check("essay.txt", left)
        with pytest.raises(
            error, match=r"'essay.txt' is refused: .* at most 100 bytes"
        ):
            allow(**options).check("essay.txt", left + 1)

    def test_the_narrowest_limit_counts_and_is_named(self, settings):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 50
        settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 100
        settings.DELIVERY_STORE_USER_QUOTA_BYTES = 1000

        assert allow(used_by_user=0).error is FileTooLarge
        assert allow(delivery_size=51, used_by_user=51).error is DeliveryTooLarge
        assert allow(delivery_size=51, used_by_user=990).error is QuotaExceeded

    def test_whoever_has_no_account_has_no_quota(self, settings):
        settings.DELIVERY_STORE_USER_QUOTA_BYTES = 10

        allow(used_by_user=None).check("essay.txt", 11)

    def test_a_limit_of_zero_is_a_limit(self, settings):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 0

        allow().check("essay.txt", 0)
        with pytest.raises(FileTooLarge):
            allow().check("essay.txt", 1)

    def test_a_delivery_that_is_too_large_already_takes_nothing(self, settings):
        settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 10

        with pytest.raises(DeliveryTooLarge):
            allow(delivery_size=20).check("essay.txt", 1)


class TestTotals:
    def test_the_number_of_files(self, settings):
        settings.DELIVERY_STORE_MAX_FILES = 3

        limits.check_count(3)
        with pytest.raises(TooManyFiles, match="at most 3 files"):
            limits.check_count(4)

    def test_the_size_of_a_delivery(self, settings):
        settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 10_000

        limits.check_delivery_size(10_000)
        with pytest.raises(DeliveryTooLarge, match="at most 10,000 bytes"):
            limits.check_delivery_size(10_001)

    def test_the_quota_of_a_user(self, settings):
        settings.DELIVERY_STORE_USER_QUOTA_BYTES = 10_000

        limits.check_quota(10_000)
        with pytest.raises(QuotaExceeded, match="at most 10,000 bytes"):
            limits.check_quota(10_001)

    def test_without_limits_there_are_none(self):
        limits.check_count(10**9)
        limits.check_delivery_size(2**62)
        limits.check_quota(2**62)


class TestExtensions:
    @pytest.mark.parametrize("filename", ["essay.pdf", "ESSAY.PDF", "a.exe.pdf"])
    def test_an_allowed_one_is_taken_in_either_case(self, settings, filename):
        settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = [".pdf", ".txt"]

        limits.check_filename(filename)

    @pytest.mark.parametrize(
        "filename", ["essay.exe", "a.pdf.exe", "pdf", "a.", "a.pdf."]
    )
    def test_another_one_is_refused_with_the_choices(self, settings, filename):
        settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = [".pdf", ".txt"]

        with pytest.raises(ExtensionNotAllowed, match=r"only \.pdf, \.txt can be"):
            limits.check_filename(filename)

    def test_without_the_setting_all_are_taken(self):
        limits.check_filename("essay.exe")

    def test_an_empty_list_takes_none(self, settings):
        settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = []

        with pytest.raises(ExtensionNotAllowed):
            limits.check_filename("essay.pdf")


class TestStreaming:
    def test_all_chunks_pass_unchanged_up_to_the_limit(self, settings):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 30
        source = Source(b"a" * 10, b"b" * 10, b"c" * 10)

        assert passed_on(source, delivery_size=0) == (
            b"a" * 10 + b"b" * 10 + b"c" * 10,
            None,
        )

    def test_the_chunk_that_exceeds_it_is_the_last_that_is_asked_for(self, settings):
        settings.DELIVERY_STORE_MAX_FILE_BYTES = 15
        source = Source(*[b"x" * 10] * 1000)
        received, error = passed_on(source, delivery_size=0)

        assert isinstance(error, FileTooLarge)
        assert received == b"x" * 10
        assert source.asked_for == 2

    def test_a_wrong_type_is_refused_before_anything_is_passed_on(self, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]
        source = Source(PDF, *[b"x" * 4096] * 1000)
        received, error = passed_on(source, delivery_size=0)

        assert isinstance(error, TypeNotAllowed)
        assert received == b""
        assert source.asked_for == 3

    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.integers(min_value=1, max_value=5000), max_size=30))
    def test_the_type_is_found_whatever_the_chunks_and_all_bytes_pass(
        self, settings, sizes
    ):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["application/pdf"]
        content = PDF + bytes(20_000)
        chunks, start = [], 0
        for size in sizes:
            chunks.append(content[start : start + size])
            start += size
        chunks.append(content[start:])

        assert passed_on([c for c in chunks if c], delivery_size=0) == (content, None)

    def test_size_and_type_are_both_checked(self, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["application/pdf"]
        settings.DELIVERY_STORE_MAX_FILE_BYTES = len(PDF) - 1

        assert isinstance(passed_on([PDF], delivery_size=0)[1], FileTooLarge)

    def test_a_small_file_is_passed_on_at_its_end(self, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["text/plain"]

        assert passed_on([b"sh", b"ort"], delivery_size=0) == (b"short", None)

    def test_an_empty_file_counts_as_text(self, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["text/plain"]
        assert passed_on([], delivery_size=0) == (b"", None)

        settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]
        assert isinstance(passed_on([], delivery_size=0)[1], TypeNotAllowed)


class TestTypes:
    @pytest.mark.parametrize(
        ("head", "pattern"),
        [
            (png(), "image/png"),
            (png(), "image/*"),
            (jpeg(), "image/jpeg"),
            (PDF, "application/pdf"),
            (archive(), "application/zip"),
            (TEXT, "text/plain"),
            (TEXT, "*"),
            (b"a,b\n1,2\n", "text/*"),
            (b"\x00\x01\x02\x03", "application/octet-stream"),
            (b"", "text/plain"),
            (("ä" * 5000).encode()[:8191], "text/plain"),
            (b"From: me\nTo: you\n", "text/plain"),
            (b"BMW is the name of a firm", "text/plain"),
            (b"import os\n", "text/plain"),
        ],
        ids=lambda value: value[:12] if isinstance(value, bytes) else value,
    )
    def test_content_of_an_allowed_kind_is_taken(self, settings, head, pattern):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["video/mp4", pattern]

        limits.check_type("file", head)

    @pytest.mark.parametrize(
        ("head", "pattern"),
        [
            (HTML, "image/*"),
            (HTML, "text/plain"),
            (png(), "image/jpeg"),
            (png(), "text/plain"),
            (archive(), "application/pdf"),
            (PDF, "text/plain"),
            (TEXT, "application/pdf"),
            (b"\x00\x01\x02\x03", "text/plain"),
            (b"text \xff\xfe", "text/plain"),
            (b"", "application/pdf"),
        ],
        ids=lambda value: value[:12] if isinstance(value, bytes) else value,
    )
    def test_content_of_another_kind_is_not(self, settings, head, pattern):
        settings.DELIVERY_STORE_ALLOWED_TYPES = [pattern]

        with pytest.raises(TypeNotAllowed):
            limits.check_type("file", head)

    def test_a_web_page_that_calls_itself_an_image_is_found_out(self, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]

        with pytest.raises(
            TypeNotAllowed,
            match=r"'holiday.png' is refused: its content is text/html; only image/\*",
        ):
            list(limits.check_chunks("holiday.png", [HTML], limits.allowance(0)))

    def test_without_the_setting_nothing_is_looked_at(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "puremagic", None)

        limits.check_type("file", HTML)
        assert list(limits.check_chunks("f", [HTML], limits.allowance(0))) == [HTML]

    def test_without_the_package_the_error_names_the_extra(self, settings, monkeypatch):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]
        monkeypatch.setitem(sys.modules, "puremagic", None)

        with pytest.raises(MissingExtra, match=r'pip install "deliverystore\[sniff\]"'):
            limits.check_type("file", png())

    @given(st.binary(max_size=300))
    def test_whatever_it_is_some_type_is_found(self, head):
        assert limits.sniff(head)

    @pytest.mark.parametrize(
        ("filename", "content_type"),
        [
            ("essay.txt", "text/plain"),
            ("essay.PDF", "application/pdf"),
            ("essay", "application/octet-stream"),
            ("essay.unheard-of", "application/octet-stream"),
        ],
    )
    def test_a_filename_speaks_for_a_type(self, filename, content_type):
        assert limits.content_type_of(filename) == content_type
