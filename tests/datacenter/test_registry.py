"""Processors are found by their names."""

from __future__ import annotations

import pytest
from django import forms

from deliverystore.checks import check_settings
from deliverystore.datacenter import registry
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.exceptions import ProcessorNotFound
from tests.school import processors
from tests.school.models import Note, Student


@pytest.fixture
def registered():
    """Register classes for one test."""
    made = []

    def register(class_name, /, **attributes):
        base = {"model": Student, "fields": ["name"], **attributes}
        made.append(registry.register(type(class_name, (ModelProcessor,), base)))
        return made[-1]

    yield register
    for one in made:
        registry.unregister(one)


def messages(id_):
    found = [one for one in check_settings(None) if one.id == f"deliverystore.{id_}"]
    return [(one.msg, one.hint) for one in found]


def test_a_processor_of_any_app_is_found_though_nobody_imports_it():
    assert registry.get_processors()["student"] is processors.StudentProcessor


def test_each_run_gets_a_processor_of_its_own():
    first, second = registry.get_processor("student"), registry.get_processor("student")

    assert isinstance(first, processors.StudentProcessor)
    assert first is not second


def test_who_asks_for_an_unknown_one_is_told_which_there_are():
    with pytest.raises(ProcessorNotFound, match=r"'pupil'; there are: .*, student,"):
        registry.get_processor("pupil")


def test_registering_twice_is_registering_once(registered):
    one = registered("OnceProcessor")
    registry.register(one)

    assert messages("E020") == []


def test_a_name_may_be_chosen(registered):
    one = registered("OtherProcessor", name="pupils")

    assert registry.get_processors()["pupils"] is one


def test_two_of_one_name_are_an_error_that_names_both(registered):
    registered("StudentProcessor", use_bulk=True)

    ((message, hint),) = messages("E020")

    assert message == (
        "Several processors are called 'student': "
        "tests.school.processors.StudentProcessor, "
        "tests.datacenter.test_registry.StudentProcessor."
    )
    assert 'name = "students"' in hint
    assert registry.get_processors()["student"] is processors.StudentProcessor


def test_a_field_that_the_model_does_not_have_is_an_error(registered):
    registered("WrongProcessor", fields=["nmae"])

    ((message, _hint),) = messages("E021")

    assert message == "WrongProcessor: Student has no field named 'nmae'."


def test_a_key_field_that_is_no_field_is_an_error(registered):
    registered("WrongProcessor", key_fields=["email"])

    ((message, _hint),) = messages("E021")

    assert message == "WrongProcessor: the key field 'email' is none of its fields."


def test_an_alias_of_no_field_is_an_error(registered):
    registered("WrongProcessor", aliases={"email": ["E-Mail"]})

    ((message, _hint),) = messages("E021")

    assert message == "WrongProcessor: the aliased field 'email' is none of its fields."


def test_a_save_that_bulk_would_pass_over_is_a_warning_until_it_is_decided(registered):
    note = {"model": Note, "fields": ["title"]}
    registered("PlainProcessor", **note)
    registered("BulkyProcessor", **note, use_bulk=True)
    registered("SlowProcessor", **note, use_bulk=False)

    ((message, hint),) = messages("W020")

    assert message == "PlainProcessor: the model's own save() will not run."
    assert "use_bulk = False" in hint


def test_what_is_no_model_has_no_save_that_could_be_passed_over():
    class Shelf(BatchProcessor):
        key_fields = ["code"]
        fields = {"code": forms.CharField()}

    registry.register(Shelf)
    try:
        assert [*messages("E020"), *messages("E021"), *messages("W020")] == []
    finally:
        registry.unregister(Shelf)
