"""The command that compares a receipt with what is stored."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from deliverystore.models import FileMeta
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery():
    return finished_delivery(files=[("a.txt", b"1"), ("b.txt", b"22")])


@pytest.fixture
def receipt(delivery, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(delivery.receipt()))
    return path


def test_it_says_of_each_file_that_it_is_intact(receipt):
    output = io.StringIO()

    call_command("verify_receipt", receipt, stdout=output)

    lines = output.getvalue().splitlines()
    assert "intact" in lines[1]
    assert lines[1].endswith("a.txt")
    assert lines[2].endswith("b.txt")


def test_it_fails_naming_what_is_not(receipt, delivery):
    FileMeta.deliverystore.remove(delivery.files.first())
    output = io.StringIO()

    with pytest.raises(CommandError, match="do not agree") as raised:
        call_command("verify_receipt", receipt, stdout=output)

    assert raised.value.returncode == 1
    assert "missing" in output.getvalue().splitlines()[1]


def test_it_refuses_what_is_no_receipt(tmp_path):
    (tmp_path / "receipt.json").write_text("{}")

    for name in ("receipt.json", "missing.json"):
        with pytest.raises(CommandError, match=name) as raised:
            call_command("verify_receipt", tmp_path / name)
        assert raised.value.returncode == 2
