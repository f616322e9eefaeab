"""Errors of cells that say what would have been taken."""

from __future__ import annotations

import pytest
from django import forms
from django.core.exceptions import ValidationError

from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.telling import in_words
from tests.school.models import Member, Student


class PupilProcessor(ModelProcessor):
    model = Student
    key_fields = ["matric_no"]
    fields = ["matric_no", "admitted_on"]
    date_formats = ["%d.%m.%Y", "%d %B %y", "%Y-%m-%d"]


class LevelProcessor(ModelProcessor):
    model = Member
    key_fields = ["number"]
    fields = ["number", "level"]


class PersonProcessor(BatchProcessor):
    fields = {
        "born": forms.DateField(input_formats=["%d.%m.%Y"]),
        "size": forms.ChoiceField(choices=[("s", "small"), ("l", "l")]),
        "age": forms.IntegerField(),
        "many": forms.ChoiceField(choices=[(str(n), str(n)) for n in range(200)]),
    }


def refusal(processor, name, text):
    with pytest.raises(ValidationError) as raised:
        processor().get_cells()[name].compile()(text)
    (error,) = raised.value.error_list
    return error.code, error.messages[0]


def test_a_date_is_refused_with_all_formats_that_are_taken():
    code, message = refusal(PupilProcessor, "admitted_on", "soon")

    assert code == "invalid"
    assert "“soon”" in message
    assert "It must be in YYYY-MM-DD format." in message
    assert message.endswith("Also taken: DD.MM.YYYY, DD month YY.")


def test_a_field_of_dates_says_how_they_are_written():
    described = {one.name: one.help_text for one in PupilProcessor().describe("create")}

    assert described["admitted_on"].endswith(
        "Written as DD.MM.YYYY, DD month YY, YYYY-MM-DD."
    )
    assert "Written as" not in described["matric_no"]


def test_a_day_that_no_month_has_is_told_as_such():
    code, message = refusal(PupilProcessor, "admitted_on", "2026-02-31")

    assert code == "invalid_date"
    assert "taken" not in message


def test_a_percent_sign_in_a_cell_is_no_format_of_the_message():
    assert "“100%d”" in refusal(PupilProcessor, "admitted_on", "100%d")[1]


def test_a_choice_is_refused_with_those_there_are():
    code, message = refusal(LevelProcessor, "level", "7")

    assert code == "invalid_choice"
    assert message.endswith("The choices are: 1 (First year), 2 (Second year).")


def test_forms_tell_it_too():
    assert refusal(PersonProcessor, "born", "2026-01-01") == (
        "invalid",
        "Enter a valid date. Taken are: DD.MM.YYYY.",
    )
    assert refusal(PersonProcessor, "size", "x") == (
        "invalid_choice",
        "Select a valid choice. x is not one of the available choices. "
        "The choices are: s (small), l.",
    )
    assert refusal(PersonProcessor, "age", "x") == ("invalid", "Enter a whole number.")


def test_of_many_choices_the_first_are_named():
    message = refusal(PersonProcessor, "many", "x")[1]

    assert message.endswith(" 10, 11, … (200 in all).")


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("%d.%m.%Y %H:%M", "DD.MM.YYYY HH:MM"),
        ("%b %d, %y", "month DD, YY"),
        ("%j", "%j"),
    ],
)
def test_a_format_is_said_as_people_write_it(format_, said):
    assert in_words(format_) == said
