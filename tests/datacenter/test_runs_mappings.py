"""Which column of a file goes to which field, without being said each time."""

from __future__ import annotations

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.datacenter import registry, runs
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import ColumnsRefused, NotPermitted, ProcessorNotFound
from deliverystore.models import ImportRun, SavedMapping
from tests.datacenter.csvfiles import table
from tests.datacenter.imports import start
from tests.datacenter.places import put
from tests.factories import UserFactory
from tests.school.models import Faculty, Student

pytestmark = pytest.mark.django_db


class PupilProcessor(ModelProcessor):
    model = Student
    name = "pupils"
    key_fields = ["matric_no"]
    fields = ["matric_no", "name", "email", "admitted_on"]
    aliases = {"matric_no": ["Number", "Student No."], "name": ["Full name"]}
    forbidden = {Mode.UPDATE: ["admitted_on"]}


class PersonProcessor(BatchProcessor):
    name = "persons"
    fields = {
        "born": forms.DateField(label="Date of birth"),
        "first": forms.CharField(label="Name"),
        "last": forms.CharField(label="Name"),
    }
    aliases = {"first": ["who"], "last": ["who"]}


@pytest.fixture
def registered():
    made = []
    yield lambda processor: made.append(registry.register(processor))
    for one in made:
        registry.unregister(one)


@pytest.fixture
def pupils(registered):
    registered(PupilProcessor)


def suggested(*header, mode="create", **options):
    return runs.suggested_mapping(header, "pupils", mode, **options)


# -- Suggestions -------------------------------------------------------------------


def test_a_column_is_known_by_its_name_without_case_and_blanks_and_by_aliases(pupils):
    suggestion = suggested(" name ", "MATRIC-NO", "Admitted  On", "full name", "shoe")

    assert suggestion.mapping == {
        " name ": "name",
        "MATRIC-NO": "matric_no",
        "Admitted  On": "admitted_on",
    }
    assert suggestion.unknown == ("full name", "shoe")
    assert suggested("student_no.", "FULL  NAME").mapping == {
        "student_no.": "matric_no",
        "FULL  NAME": "name",
    }


def test_the_surer_name_gets_the_field_wherever_it_stands(pupils):
    assert suggested("Full name", "Name", "name").mapping == {"name": "name"}
    assert suggested("Full name", "Name").mapping == {"Name": "name"}


def test_a_column_is_known_by_what_people_call_the_field(registered):
    registered(PersonProcessor)

    suggestion = runs.suggested_mapping(["date of birth"], "persons", "create")

    assert suggestion.mapping == {"date of birth": "born"}


def test_a_name_that_several_fields_have_is_not_suggested(registered):
    registered(PersonProcessor)

    suggestion = runs.suggested_mapping(["Who", "name"], "persons", "create")

    assert (suggestion.mapping, suggestion.unknown) == ({}, ("Who", "name"))


def test_what_is_said_is_kept_and_its_field_is_not_given_again(pupils):
    mapping = {"Nr": "matric_no", "x": None}

    suggestion = suggested("Nr", "matric_no", "x", mapping=mapping)

    assert suggestion.mapping == mapping
    assert suggestion.unknown == ("matric_no",)


def test_a_field_that_a_mode_forbids_is_not_suggested(pupils):
    assert suggested("admitted_on", mode="update").unknown == ("admitted_on",)
    assert suggested("admitted_on").unknown == ()


def test_the_columns_of_the_app_are_nobodys(pupils):
    assert suggested("name", "--ERRORS--") == suggested("name")


@given(header=st.lists(st.sampled_from(["name", "Name", "FULL NAME", "a", "", " "])))
def test_every_column_is_mapped_or_unknown_and_no_field_twice(header):
    registry.register(PupilProcessor)
    try:
        suggestion = suggested(*header)
    finally:
        registry.unregister(PupilProcessor)

    fields = list(suggestion.mapping.values())
    assert len(set(fields)) == len(fields)
    assert {*suggestion.mapping, *suggestion.unknown} == set(header)
    assert not set(suggestion.mapping) & set(suggestion.unknown)


def test_who_may_not_import_is_not_told_of_the_fields(pupils):
    for user in (AnonymousUser(), UserFactory.create()):
        with pytest.raises(NotPermitted):
            suggested("name", user=user)
    with pytest.raises(ProcessorNotFound):
        runs.suggested_mapping(["name"], "nobody", "create")


# -- Memory ------------------------------------------------------------------------


def test_what_was_said_once_is_known_for_all_files_with_these_columns(center):
    user = UserFactory.create(is_superuser=True)
    put(center, "f.csv", table(("A", "Arts", "x"), header=("Kürzel", "name", "dean")))
    mapping = {"Kürzel": "code", "dean": None}
    options = {"enqueue": False, "user": user}
    runs.work(runs.start_run("f.csv", "faculty", "create", mapping, **options))
    put(center, "g.csv", table(("x", "B", "Bio"), header=("dean", "Kürzel", "name")))

    run = runs.work(runs.start_run("g.csv", "faculty", "create", enqueue=False))

    assert (run.state, run.created) == ("finished", 1)
    assert run.mapping == {**mapping, "name": "name"}
    assert Faculty.objects.get(code="B").name == "Bio"
    saved = SavedMapping.objects.get()
    assert (saved.processor, saved.user, str(saved)) == (
        "faculty",
        user,
        "faculty: Kürzel, dean, name",
    )


def test_what_was_said_last_counts(center):
    for number, field in enumerate(("name", None)):
        put(center, f"{number}.csv", table((f"{number}", "x"), header=("code", "a")))
        mapping = {"a": field}
        runs.start_run(f"{number}.csv", "faculty", "create", mapping, enqueue=False)

    assert runs.suggested_mapping(["code", "a"], "faculty", "create").mapping == {
        "code": "code",
        "a": None,
    }
    assert SavedMapping.objects.count() == 1


def test_another_header_or_processor_is_not_guessed_from_it(center):
    put(center, "f.csv", table(("A", "x"), header=("code", "a")))
    runs.start_run("f.csv", "faculty", "create", {"a": "name"}, enqueue=False)

    for header, processor in ((["a"], "faculty"), (["code", "a"], "note")):
        suggestion = runs.suggested_mapping(header, processor, "create")
        assert "a" in suggestion.unknown


def test_what_was_only_tried_out_or_said_by_nobody_or_refused_is_not_remembered(center):
    put(center, "f.csv", table(("A", "x"), header=("code", "a")))
    put(center, "g.csv", table(("A", "x")))
    options = {"enqueue": False}
    tried = runs.start_run(
        "f.csv", "faculty", "create", {"a": "name"}, dry_run=True, **options
    )
    runs.start_run("g.csv", "faculty", "create", **options)
    runs.work(tried)
    with pytest.raises(ColumnsRefused):
        runs.start_run("f.csv", "faculty", "create", {"a": "b"}, **options)

    assert not SavedMapping.objects.exists()


def test_a_field_that_is_gone_is_forgotten(center):
    put(center, "f.csv", table(("A", "x"), header=("code", "a")))
    runs.start_run("f.csv", "faculty", "create", {"a": "name"}, enqueue=False)
    SavedMapping.objects.update(mapping={"code": "code", "a": "gone"})

    suggestion = runs.suggested_mapping(["code", "a"], "faculty", "create")

    assert suggestion.unknown == ("a",)


# -- Runs --------------------------------------------------------------------------


def test_a_run_begins_with_what_is_suggested_and_says_so(center):
    run = start(center, ("A", "Arts"), ("B", "Biology"), name="f.csv")
    assert run.mapping == {"code": "code", "name": "name"}

    put(center, "g.csv", table(("C", "Chemistry"), header=("CODE", " Name")))
    run = runs.work(runs.start_run("g.csv", "faculty", "create", enqueue=False))

    assert run.mapping == {"CODE": "code", " Name": "name"}
    assert Faculty.objects.get().name == "Chemistry"


def test_a_run_does_not_begin_with_an_unknown_column(center):
    put(center, "f.csv", table(("A", "x", "y"), header=("Code", "dean", "shoe size")))

    with pytest.raises(ColumnsRefused) as raised:
        runs.start_run("f.csv", "faculty", "create", {"dean": None}, enqueue=False)

    assert [one.column for one in raised.value.problems if one.code == "unknown"] == [
        "shoe size"
    ]
    assert not ImportRun.objects.exists()


def refused(center, *header, mapping=None):
    put(center, "f.csv", table(("A",) * len(header), header=header))
    with pytest.raises(ColumnsRefused) as raised:
        runs.start_run("f.csv", "faculty", "create", mapping, enqueue=False)
    assert not ImportRun.objects.exists()
    return raised.value


def test_a_mapping_of_a_column_that_the_file_has_not_is_refused(center):
    error = refused(center, "code", "Dean", mapping={"dean": None, "x": "name"})

    first, second = error.problems
    assert (first.code, first.column) == ("absent", "dean")
    assert first.message == (
        "The file has no column “dean”; did you mean “Dean”? It has: code, Dean."
    )
    assert second.message == "The file has no column “x”. It has: code, Dean."
    assert not SavedMapping.objects.exists()


def test_a_page_is_told_so_before_the_run_begins(pupils):
    with pytest.raises(ColumnsRefused, match="no column “Nr”"):
        suggested("matric_no", mapping={"Nr": "matric_no"})


def test_an_inherited_mapping_may_have_columns_that_somebody_took_out(center):
    put(center, "f.csv", table(("A", "x"), ("A", "y"), header=("Kürzel", "dean")))
    mapping = {"Kürzel": "code", "dean": None}
    run = runs.start_run("f.csv", "faculty", "create", mapping, enqueue=False)
    runs.work(run)
    put(center, run.pending_file, table(("B",), header=["Kürzel"]))

    again = runs.work(runs.start_run(run.pending_file, enqueue=False))

    assert (again.state, again.mapping) == ("finished", {"Kürzel": "code"})


def test_a_field_that_there_is_not_is_named_with_one_that_is_much_alike(center):
    error = refused(center, "code", "x", mapping={"x": "nmae"})

    assert str(error) == (
        "There is no field “nmae” for the column “x”; did you mean “name”? "
        "The fields are: code, name."
    )


def test_a_column_whose_field_another_one_has_is_told_which(center):
    error = refused(center, "code", "name", "name_")

    assert str(error).startswith(
        "The column “name_” has no field: the column “name” has “name” already. "
    )


def test_the_fields_are_named_once_however_many_columns_have_none(center):
    error = refused(center, "code", "shoe", "nam", "hat")

    assert [one.message for one in error.problems] == [
        "There is no field for the column “shoe”.",
        "There is no field for the column “nam”; did you mean “name”?",
        "There is no field for the column “hat”. The fields are: code, name.",
    ]
