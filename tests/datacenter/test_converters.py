"""A compiled converter gives what the field's own clean() gives."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.test.utils import isolate_apps
from django.utils import timezone, translation
from django.utils.formats import sanitize_separators
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deliverystore.datacenter.rows.cells import FormCell
from deliverystore.datacenter.rows.modelcells import Formats, ModelCell
from deliverystore.datacenter.rows.quick import Quick
from tests.school.models import Everything, Member, Note

FIELDS = [
    field.name
    for field in Everything._meta.concrete_fields
    if field.name not in {"id", "boolean", "chosen", "json", "binary", "datetime"}
]
EXAMPLES = settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# What people write, and what is nearly it.
NEAR = st.one_of(
    st.text(alphabet=string.printable, min_size=1, max_size=40),
    st.text(min_size=1, max_size=15),
    st.text(alphabet="0123456789.,-+eE_ ", min_size=1, max_size=12),
    st.text(alphabet="ab.@-_+", min_size=1, max_size=12).map(
        lambda one: one + "@a.org"
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.decimals(places=2).map(str),
    st.dates().map(str),
    st.times().map(str),
    st.datetimes(timezones=st.just(UTC)).map(str),
    st.timedeltas().map(str),
    st.uuids().map(str),
    st.ip_addresses().map(str),
    st.emails(),
    st.sampled_from(
        ["nan", "inf", "1e3", "0x10", "٣", "1_0", "2024-W01-1", "20240102"]
    ),
).map(str.strip)


def cell_of(name, model=Everything, **formats):
    return ModelCell(model._meta.get_field(name), Formats(**formats))


def result(convert, text):
    """Return the value with its type, or the codes of the errors."""
    try:
        value = convert(text)
    except ValidationError as error:
        return sorted(str(one.code) for one in error.error_list)
    except OverflowError:  # Django lets it through: a duration of too many days
        return ["invalid"]
    return repr(value)


@pytest.mark.parametrize("language", ["en", "de", "fa"])
@pytest.mark.parametrize("name", FIELDS)
@EXAMPLES
@given(text=NEAR)
def test_the_result_is_that_of_the_field(name, language, text):
    field = Everything._meta.get_field(name)
    with translation.override(language):
        convert = cell_of(name).compile()
        if not text:
            return
        assert result(convert, text) == result(
            lambda one: field.clean(one, Everything()), text
        )
        if isinstance(convert, Quick):
            try:
                (value,) = convert.all([text])
            except ValueError:
                return
            assert repr(value) == result(convert, text)


def test_short_cuts_are_taken():
    compiled = {name: cell_of(name).compile() for name in FIELDS}

    quick = {name for name, convert in compiled.items() if isinstance(convert, Quick)}

    assert quick >= {
        "char",
        "text",
        "email",
        "slug",
        "integer",
        "big",
        "decimal",
        "date",
    }


class Percent(models.DecimalField):
    """Takes a sign that no other decimal has."""

    def to_python(self, value):
        return super().to_python(str(value).removesuffix("%"))


@pytest.mark.parametrize(
    ("field", "texts"),
    [
        (Percent(max_digits=4, decimal_places=1), ["7%", "7", "7.25%", "12345%"]),
        (
            models.DecimalField(max_digits=3, decimal_places=3),
            ["0.125", ".125", "1", "0.1234", "-0.5"],
        ),
        (
            models.CharField(
                max_length=9, validators=[RegexValidator("[0-9]", inverse_match=True)]
            ),
            ["abc", "ab3", "a" * 10],
        ),
    ],
    ids=["own-conversion", "only-places", "inverse-match"],
)
@isolate_apps("tests.school")
def test_a_field_that_is_not_as_others_has_its_own_results_too(field, texts):
    meta = type("Meta", (), {"app_label": "school"})
    attributes = {"__module__": __name__, "Meta": meta, "value": field}
    model = type("Odd", (models.Model,), attributes)

    convert = cell_of("value", model).compile()

    found = [result(convert, text) for text in texts]
    expected = [result(lambda one: field.clean(one, model()), one) for one in texts]
    assert found == expected
    assert any(isinstance(one, str) for one in found)
    assert any(isinstance(one, list) for one in found)


def test_a_field_that_no_form_shows_has_its_own_results_too():
    field = Note._meta.get_field("slug")
    convert = cell_of("slug", Note).compile()

    for text in ("a-slug", "no slug", "s" * 51):
        assert result(convert, text) == result(
            lambda one: field.clean(one, Note()), text
        )


@pytest.mark.parametrize("language", ["de", "en", "fr"])
@EXAMPLES
@given(text=NEAR)
@example(text="1.234,50")
@example(text="1,234.50")
def test_a_localized_number_is_read_as_a_localized_form_reads_it(language, text):
    with translation.override(language):
        convert = cell_of("decimal", localized=True).compile()
        field = Everything._meta.get_field("decimal")
        expected = result(lambda one: field.clean(sanitize_separators(one), None), text)

        if text:
            assert result(convert, text) == expected


@pytest.mark.parametrize("separated", [True, False])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("value", ["1.500", "1234.125", "-0.25", "12345678.5"])
def test_a_localized_number_comes_back_from_its_own_text(
    settings, value, language, separated
):
    settings.USE_THOUSAND_SEPARATOR = separated
    with translation.override(language):
        cell = cell_of("float", localized=True)
        assert cell.compile()(cell.text(float(value))) == float(value)


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "31.12.2024"), ("en", "12/31/2024"), ("en", "2024-12-31")],
)
def test_a_localized_date_is_read_as_the_language_writes_it(language, text):
    with translation.override(language):
        convert = cell_of("date", localized=True).compile()

        assert convert(text) == date(2024, 12, 31)


def test_a_date_in_another_format_is_refused_unless_it_is_configured():
    plain = cell_of("date").compile()
    configured = cell_of("date", dates=("%d.%m.%Y",)).compile()

    assert result(plain, "31.12.2024") == ["invalid"]
    assert configured("31.12.2024") == date(2024, 12, 31)
    assert configured("2024-12-31") == date(2024, 12, 31)
    assert result(configured, "31.02.2024") == ["invalid"]


def test_a_configured_time_and_moment_are_read():
    at = cell_of("time", times=("%H h %M",)).compile()
    moment = cell_of("datetime", datetimes=("%d.%m.%Y %H:%M",)).compile()

    assert at("9 h 30") == time(9, 30)
    assert moment("31.12.2024 09:30") == datetime(2024, 12, 31, 9, 30, tzinfo=UTC)


def test_a_moment_without_zone_is_in_the_current_one():
    convert = cell_of("datetime").compile()

    with timezone.override("Europe/Berlin"):
        value = convert("2024-07-01 12:00")

    assert value == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert convert("2024-07-01T12:00:00+02:00") == value


@pytest.mark.parametrize("text", ["true", "TRUE", "Yes", "1", "t", "on"])
def test_a_boolean_is_true(text):
    assert cell_of("boolean").compile()(text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "no", "0", "f", "Off"])
def test_a_boolean_is_false(text):
    assert cell_of("boolean").compile()(text) is False


@pytest.mark.parametrize("text", ["2", "maybe", "yes!", "None", "__import__('os')"])
def test_any_other_boolean_is_refused(text):
    assert result(cell_of("boolean").compile(), text) == ["invalid"]


def test_a_choice_is_known_by_its_value_and_then_by_its_label():
    convert = cell_of("chosen").compile()

    assert convert("a") == "a"
    assert convert("apple") == "a"
    assert result(convert, "Banana") == ["invalid_choice"]
    assert cell_of("level", Member).compile()("second YEAR") == 2
    assert result(cell_of("level", Member).compile(), "7") == ["invalid_choice"]


def test_json_is_parsed_and_not_kept_as_text():
    convert = cell_of("json").compile()

    assert convert('{"a": [1, null]}') == {"a": [1, None]}
    assert result(convert, "{a: 1}") == ["invalid"]


def test_bytes_are_read_from_base64():
    convert = cell_of("binary").compile()

    assert convert("AAEC") == b"\x00\x01\x02"
    assert result(convert, "A") == ["invalid"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boolean", False),
        ("date", date(2024, 2, 29)),
        ("datetime", datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC)),
        ("decimal", Decimal("1E+2")),
        ("binary", b"\x00\xff"),
        ("json", {"ä": [1.5, "x"]}),
        ("float", 1e-7),
    ],
)
def test_a_value_becomes_text_that_becomes_the_value(name, value):
    cell = cell_of(name)

    assert cell.compile()(cell.text(value)) == value
    assert cell.text(None) == ""


def test_only_a_field_with_neither_blank_nor_default_is_required():
    assert cell_of("number", Member).required
    assert not cell_of("level", Member).required
    assert not cell_of("email", Member).required
    assert not cell_of("added_at", Member).required
    assert not cell_of("id", Member).required


def test_a_form_field_converts_as_it_does_in_a_form():
    cell = FormCell("size", forms.IntegerField(min_value=1, help_text="in cm"))

    assert cell.compile()("3") == 3
    assert result(cell.compile(), "0") == ["min_value"]
    assert (cell.label, cell.type, cell.help_text) == ("Size", "Integer", "in cm")
    with pytest.raises(ValidationError):
        cell.default()


@pytest.mark.parametrize(
    ("text", "expected"), [("no", "False"), ("perhaps", ["invalid"])]
)
def test_a_boolean_of_a_form_is_strict_too(text, expected):
    cell = FormCell("open", forms.BooleanField(required=False))

    assert result(cell.compile(), text) == expected
