"""The tab Processors: what each takes, in words, and a template."""

from __future__ import annotations

import pytest
from django.forms import ChoiceField

from deliverystore.datacenter import registry
from deliverystore.datacenter.processors import BatchProcessor
from tests.admin.datacenter.people import person, url, words

pytestmark = pytest.mark.django_db


def test_every_processor_is_there_with_its_fields(client, boss):
    page = words(client.get(url("processors")))

    for name, processor in registry.get_processors().items():
        assert f"{name} (" in page
        assert all(field in page for field in processor().fields)


def test_a_field_says_what_it_is_and_in_which_mode_it_is_needed(client, boss):
    page = words(client.get(url("processors")))

    assert "Objects are found by number, email." in page
    assert "email Email Email address" in page
    assert "required key key" in page
    assert "not read" in page


def test_only_what_somebody_may_import_or_export_is_there(client):
    client.force_login(person("importer"))
    importing = client.get(url("processors")).context_data["processors"]
    client.force_login(person("exporter"))
    exporting = client.get(url("processors")).context_data["processors"]

    assert [(one.name, len(one.modes)) for one in importing] == [("faculty", 3)]
    assert [(one.name, one.modes, one.is_exported) for one in exporting] == [
        ("faculty", [], True)
    ]


def test_a_template_is_a_csv_file_with_the_columns_of_the_mode(client, boss):
    query = {"processor": "faculty", "mode": "remove"}

    response = client.get(url("template"), query)

    assert response.content == b"code\r\n"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        response["Content-Disposition"] == 'attachment; filename="faculty-remove.csv"'
    )


@pytest.mark.parametrize(
    ("name", "mode"),
    [("student", "create"), ("faculty", "remove"), ("x", "y"), ("", ""), ("../x", "a")],
)
def test_who_may_not_import_gets_no_template(client, name, mode):
    client.force_login(person("importer"))

    response = client.get(url("template"), {"processor": name, "mode": mode})

    assert response.status_code == 403


def test_many_choices_are_cut_and_shown_inertly(client, boss):
    @registry.register
    class EvilProcessor(BatchProcessor):
        fields = {
            "kind": ChoiceField(
                help_text="<script>1</script>",
                choices=[(f"<b>{n}</b>", f"label {n}") for n in range(100)],
            )
        }
        key_fields = ["kind"]

    try:
        response = client.get(url("processors"))
    finally:
        registry.unregister(EvilProcessor)

    assert "label 19" in words(response)
    assert "label 20" not in words(response)
    assert "and 80 more" in words(response)
    assert "<script>1" not in response.text
    assert "<b>1" not in response.text
