"""Rows of text become changes of objects, or errors that say what to correct."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django import forms
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.db import models as db
from django.db.models.functions import Length
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext, isolate_apps

from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.bulk import BulkPlan
from deliverystore.datacenter.rows.obstacles import obstacles
from deliverystore.datacenter.rows.outcomes import Action, Change, Mode
from deliverystore.datacenter.rows.plans import RowPlan
from deliverystore.exceptions import ColumnsRefused, RowError
from tests.school import models, processors

pytestmark = pytest.mark.django_db
STUDENT = ["matric_no", "name", "email", "admitted_on"]


def students(count, start=0):
    return [
        (at + 1, [f"M{at}", f"Name {at}", f"s{at}@example.org", "2024-09-01"])
        for at in range(start, start + count)
    ]


def process(processor, columns, rows, mode=Mode.CREATE, **options):
    plan = processor().prepare(columns, mode, **options)
    if rows and not isinstance(rows[0], tuple):
        rows = list(enumerate(rows, start=1))
    return plan.process(rows)


def actions(outcomes):
    return [outcome.action for outcome in outcomes]


def errors(outcome):
    return [(error.column, error.code, error.value) for error in outcome.errors]


# -- The columns -----------------------------------------------------------------------


def problems(processor, columns, mode=Mode.CREATE, **options):
    with pytest.raises(ColumnsRefused) as caught:
        processor().prepare(columns, mode, **options)
    return [(one.code, one.column) for one in caught.value.problems]


def test_all_that_is_wrong_with_the_columns_is_said_at_once():
    columns = ["matric_no", "nmae", "email", "email ", "password"]

    assert problems(processors.StudentProcessor, columns) == [
        ("unknown", "nmae"),
        ("duplicate", "email "),
        ("unknown", "password"),
        ("missing", "name"),
        ("missing", "admitted_on"),
    ]


def test_an_update_needs_a_key_and_nothing_else():
    processors.StudentProcessor().prepare(["matric_no"], Mode.UPDATE)

    assert problems(processors.MemberProcessor, ["points"], Mode.UPDATE) == [
        ("missing", "number or email")
    ]


def test_a_column_that_a_mode_forbids_is_refused():
    class Once(processors.StudentProcessor):
        forbidden = {Mode.UPDATE: ["email"]}

    assert problems(Once, ["matric_no", "email"], Mode.UPDATE) == [
        ("forbidden", "email")
    ]
    assert Once().columns_in(Mode.UPDATE) == ["matric_no", "name", "admitted_on", "fee"]


def test_a_mode_that_a_processor_has_not_is_refused():
    class UpdateOnly(processors.StudentProcessor):
        modes = (Mode.UPDATE,)

    assert problems(UpdateOnly, STUDENT) == [("mode", "")]


def test_headers_can_be_mapped_and_left_out():
    mapping = {"Number": "matric_no", "Full name": "name", "Remark": None}
    columns = ["Remark", "Full name", "Number", "email", "admitted_on", "--ERRORS--"]
    row = ["hm", "Ada", "M1", "a@b.org", "2024-09-01", "old error"]

    (outcome,) = process(processors.StudentProcessor, columns, [row], mapping=mapping)

    student = models.Student.objects.get(pk=outcome.pk)
    assert (student.matric_no, student.name) == ("M1", "Ada")


def test_removing_reads_the_key_columns_only():
    process(processors.StudentProcessor, STUDENT, students(2))
    rows = [["M1", "x" * 200, "no address", "no date"]]

    (outcome,) = process(processors.StudentProcessor, STUDENT, rows, Mode.REMOVE)

    assert outcome.action is Action.REMOVED
    assert [one.matric_no for one in models.Student.objects.all()] == ["M0"]


def test_a_value_map_corrects_a_cell_before_it_is_read():
    maps = {"admitted_on": {"1 Sept 2024": "2024-09-01"}, "name": {"": "Nobody"}}
    row = ["M1", "", "a@b.org", " 1 Sept 2024"]

    process(processors.StudentProcessor, STUDENT, [row], value_maps=maps)

    assert models.Student.objects.get().admitted_on == date(2024, 9, 1)
    assert models.Student.objects.get().name == "Nobody"


def test_a_value_map_may_correct_to_nothing_and_to_what_is_wrong():
    maps = {"fee": {"none": "", "n/a": "free"}, "name": {"-": "--CLEAR--"}}
    columns = [*STUDENT, "fee"]
    rows = [
        ["M1", "Ada", "a@b.org", "2024-09-01", "none"],
        ["M2", "Bob", "b@b.org", "2024-09-01", "n/a"],
        ["M3", "-", "c@b.org", "2024-09-01", "1"],
    ]

    outcomes = process(processors.StudentProcessor, columns, rows, value_maps=maps)

    assert actions(outcomes) == ["created", "failed", "failed"]
    assert models.Student.objects.get().fee == Decimal("0.00")
    assert errors(outcomes[1]) == [("fee", "invalid", "n/a")]
    assert errors(outcomes[2]) == [("name", "blank", "-")]


# -- Rows ------------------------------------------------------------------------------


def test_a_row_names_every_cell_that_is_wrong_and_the_others_go_in():
    rows = students(3)
    rows[1][1][1:] = ["", "nobody", "31.02.2024"]

    outcomes = process(processors.StudentProcessor, STUDENT, rows)

    assert actions(outcomes) == ["created", "failed", "created"]
    assert errors(outcomes[1]) == [
        ("name", "blank", ""),
        ("email", "invalid", "nobody"),
        ("admitted_on", "invalid", "31.02.2024"),
    ]
    assert outcomes[1].number == 2
    assert outcomes[1].label == "M1"
    assert models.Student.objects.count() == 2


def test_what_is_unique_is_so_in_the_database_and_among_the_rows():
    process(processors.StudentProcessor, STUDENT, students(1))
    rows = students(3)
    rows[1][1][2] = "s0@example.org"
    rows[2][1][0] = "M0"

    outcomes = process(
        processors.StudentProcessor, STUDENT, [*rows, *students(1, 7)] * 2
    )

    assert actions(outcomes) == ["failed"] * 3 + ["created"] + ["failed"] * 4
    assert errors(outcomes[0]) == [("matric_no", "exists", "M0")]
    assert errors(outcomes[1]) == [("email", "unique", "s0@example.org")]
    assert outcomes[1].errors[0].message == "Student with this Email already exists."


def test_an_empty_cell_leaves_the_default_or_keeps_the_value():
    columns = [*STUDENT, "fee"]
    row = ["M1", "Ada", "a@b.org", "2024-09-01", ""]
    process(processors.StudentProcessor, columns, [row])
    assert models.Student.objects.get().fee == Decimal("0.00")

    row = ["M1", "", "", "", "3.5"]
    (outcome,) = process(processors.StudentProcessor, columns, [row], Mode.UPDATE)

    assert outcome.fields == ("fee",)
    assert models.Student.objects.get().name == "Ada"


@pytest.mark.parametrize("text", ["--CLEAR--", ""])
def test_a_value_is_cleared_by_the_token_or_by_emptiness_if_the_processor_says_so(text):
    class Clearing(processors.MemberProcessor):
        empty_clears = (Mode.UPDATE,) if not text else ()

    models.Member.objects.create(number="A1", nickname="al", email="a@b.org")
    rows = [["A1", text, text]]

    process(Clearing, ["number", "nickname", "email"], rows, Mode.UPDATE)

    member = models.Member.objects.get()
    assert (member.nickname, member.email) == ("", None)


def test_what_must_have_a_value_cannot_be_cleared():
    process(processors.StudentProcessor, STUDENT, students(1))
    rows = [["M0", "--CLEAR--", "", ""]]

    (outcome,) = process(processors.StudentProcessor, STUDENT, rows, Mode.UPDATE)

    assert errors(outcome) == [("name", "blank", "--CLEAR--")]


def test_the_first_key_whose_cells_are_filled_counts():
    models.Member.objects.create(number="A1", email="a@b.org")
    rows = [["", "a@b.org", "3"], ["A1", "new@b.org", "4"], ["", "", "5"]]

    outcomes = process(
        processors.MemberProcessor, ["number", "email", "points"], rows, Mode.UPDATE
    )

    assert [outcome.fields for outcome in outcomes] == [
        ("points",),
        ("email", "points"),
        (),
    ]
    assert errors(outcomes[2]) == [("", "key", "")]


def test_an_update_tells_what_was_and_what_is():
    models.Faculty.objects.create(code="ENG")
    science = models.Faculty.objects.create(code="SCI")
    models.Member.objects.create(number="A1", faculty=science, points=1)
    rows = [["A1", "ENG", "1"]]
    columns = ["number", "faculty", "points"]

    (outcome,) = process(
        processors.MemberProcessor, columns, rows, Mode.UPDATE, with_changes=True
    )

    assert outcome.changes == (Change(field="faculty", old="SCI", new="ENG"),)


@pytest.mark.parametrize("text", ["'=5", " x ", "x"])
def test_an_error_of_a_sensitive_field_tells_nothing_of_its_value(text):
    class Secret(processors.StudentProcessor):
        sensitive = ["fee"]
        required = {Mode.CREATE: ["fee"]}

    rows = [["M1", "A", "a@example.org", "2024-09-01", text]]
    [outcome] = process(Secret, [*STUDENT, "fee"], rows)

    [error] = outcome.errors
    assert (error.value, error.message) == ("", "This value is refused.")


def test_an_empty_cell_of_a_sensitive_field_is_called_empty():
    class Secret(processors.StudentProcessor):
        sensitive = ["name"]

    rows = [["M1", "", "a@example.org", "2024-09-01"]]
    [outcome] = process(Secret, STUDENT, rows)

    assert outcome.errors[0].message == "This field cannot be blank."


def test_values_of_sensitive_fields_are_nowhere_in_an_outcome():
    class Secretive(processors.StudentProcessor):
        sensitive = ["email", "fee"]

    columns = [*STUDENT, "fee"]
    rows = [
        ["M1", "Ada", "secret@b.org", "2024-09-01", "7"],
        ["M2", "Ada", "topsecret", "2024-09-01", "secret fee"],
    ]

    outcomes = process(Secretive, columns, rows, with_changes=True)

    assert actions(outcomes) == ["created", "failed"]
    assert "secret" not in repr(outcomes)
    assert "***" in repr(outcomes[0])


def test_a_foreign_key_that_is_not_there_yet_is_missing_and_two_are_ambiguous():
    class ByName(processors.MemberProcessor):
        lookups = {"faculty": "name"}

    for code in ("A", "B"):
        models.Faculty.objects.create(code=code, name="Arts")

    outcomes = process(ByName, ["number", "faculty"], [["A1", "Law"], ["A2", "Arts"]])

    assert errors(outcomes[0]) == [("faculty", "missing", "Law")]
    assert errors(outcomes[1]) == [("faculty", "ambiguous", "Arts")]
    assert outcomes[0].errors[0].message == "There is no faculty “Law”."


def test_without_a_lookup_the_natural_key_is_used():
    class Natural(processors.BookProcessor):
        lookups = {"tags": "word"}

    faculty = models.Faculty.objects.create(code="ENG")
    course = models.Course.objects.create(faculty=faculty, number=3)
    rows = [["One", "ENG/3"], ["Two", "ENG/4"], ["Three", "ENG"]]

    outcomes = process(Natural, ["title", "course"], rows)

    assert actions(outcomes) == ["created", "failed", "failed"]
    assert models.Book.objects.get().course == course


def test_a_row_that_fails_leaves_nothing_of_itself():
    class Failing(processors.NoteProcessor):
        def add_entry(self, row):
            super().add_entry(row)
            raise RowError("too late", field="title", code="late")

    (outcome,) = process(Failing, ["title"], [["One"]])

    assert errors(outcome) == [("title", "late", "One")]
    assert not models.Note.objects.exists()


def test_a_mistake_in_a_hook_fails_its_row_only_and_is_logged(caplog):
    class Mistaken(processors.StudentProcessor):
        def check_create(self, row):
            return {}[row["matric_no"]] if row["matric_no"] == "M1" else None

    outcomes = process(Mistaken, STUDENT, students(3))

    assert actions(outcomes) == ["created", "failed", "created"]
    assert outcomes[1].errors[0].code == "error"
    assert "KeyError: 'M1'" in caplog.text


@pytest.mark.parametrize("use_bulk", [True, False])
def test_what_no_row_is_to_blame_for_is_raised(use_bulk):
    class Unlucky(processors.StudentProcessor):
        def check_create(self, row):
            raise OperationalError("the connection is lost")

    Unlucky.use_bulk = use_bulk

    with pytest.raises(OperationalError):
        process(Unlucky, STUDENT, students(2))


def test_save_and_signals_run_if_the_processor_asks_for_them():
    saved = []

    def listen(instance, created, **kwargs):
        saved.append((instance.title, created))

    post_save.connect(listen, sender=models.Note)
    try:
        plan = processors.NoteProcessor().prepare(["title"], Mode.CREATE)
        plan.process([(1, ["My first"])])
    finally:
        post_save.disconnect(listen, sender=models.Note)

    assert isinstance(plan, RowPlan)
    assert saved == [("My first", True)]
    assert models.Note.objects.get().slug == "my-first"


def test_what_others_need_is_not_removed():
    class FacultyProcessor(processors.CourseProcessor):
        model = models.Faculty
        key_fields = fields = ["code"]
        lookups = {}

    for code in ("A", "B", "C"):
        models.Faculty.objects.create(code=code)
    needed = models.Faculty.objects.get(code="B")
    models.Member.objects.create(number="A1", faculty=needed)

    outcomes = process(FacultyProcessor, ["code"], [["A"], ["B"], ["C"]], Mode.REMOVE)

    assert actions(outcomes) == ["removed", "failed", "removed"]
    assert outcomes[1].errors[0].code == "protected"
    assert models.Faculty.objects.get() == needed


def test_only_columns_that_changed_are_written():
    process(processors.StudentProcessor, STUDENT, students(1))
    plan = processors.StudentProcessor().prepare(["matric_no", "name"], Mode.UPDATE)

    with CaptureQueriesContext(connection) as queries:
        plan.process([(1, ["M0", "New"])])

    (update,) = [one["sql"] for one in queries if "UPDATE" in one["sql"].split()[:5]]
    assert '"name"' in update
    assert '"email"' not in update


def test_a_row_is_judged_by_what_was_before_it_and_not_by_what_comes_later():
    models.Member.objects.create(number="A1", nickname="al")
    models.Member.objects.create(number="A2")
    rows = [["A2", "al"], ["A1", "bo"]]

    outcomes = process(
        processors.MemberProcessor, ["number", "nickname"], rows, Mode.UPDATE
    )

    assert actions(outcomes) == ["failed", "updated"]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_what_would_belong_to_nothing_is_not_made(use_bulk):
    class Orderly(processors.StudentProcessor):
        def parents_exist(self, row):
            return row["name"] != "Name 1"

    Orderly.use_bulk = use_bulk

    outcomes = process(Orderly, STUDENT, students(3))

    assert actions(outcomes) == ["created", "failed", "created"]
    assert errors(outcomes[1]) == [("", "parents", "")]
    assert models.Student.objects.count() == 2


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_key_that_several_objects_have_changes_none_of_them(use_bulk):
    class ByName(processors.TeacherProcessor):
        key_fields = ["name"]

    ByName.use_bulk = use_bulk
    for number, name in enumerate(["Ada", "Ada", "Bob"]):
        models.Teacher.objects.create(
            staff_no=number, name=name, email=f"{number}@b.org"
        )

    outcomes = process(
        ByName, ["name", "room"], [["Ada", "R1"], ["Bob", "R2"]], Mode.UPDATE
    )

    assert actions(outcomes) == ["failed", "updated"]
    assert errors(outcomes[0]) == [("name", "ambiguous", "Ada")]
    rooms = models.Teacher.objects.order_by("staff_no").values_list("room", flat=True)
    assert list(rooms) == ["", "", "R2"]


@pytest.mark.parametrize("use_bulk", [True, False])
@pytest.mark.parametrize(
    ("adas", "second"), [(2, ["unchanged", "updated"]), (3, ["unchanged", "failed"])]
)
def test_a_key_means_one_object_as_soon_as_the_rows_before_have_renamed_the_others(
    use_bulk, adas, second
):
    class ByEither(processors.TeacherProcessor):
        key_fields = [["staff_no"], ["name"]]

    ByEither.use_bulk = use_bulk
    for number in range(adas):
        models.Teacher.objects.create(
            staff_no=number, name="Ada", email=f"{number}@b.org"
        )
    rows = [["0", "Bob", ""], ["0", "", ""], ["", "Ada", "R1"]]

    outcomes = process(ByEither, ["staff_no", "name", "room"], rows, Mode.UPDATE)

    assert actions(outcomes) == ["updated", *second]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_rows_that_name_one_object_by_different_keys_change_it_one_after_the_other(
    use_bulk,
):
    class Members(processors.MemberProcessor):
        pass

    Members.use_bulk = use_bulk
    models.Member.objects.create(number="A1", email="a@b.org", level=1)
    columns = ["number", "email", "level"]
    rows = [["A1", "", "2"], ["", "a@b.org", "2"], ["", "a@b.org", "1"]]

    outcomes = process(Members, columns, rows, Mode.UPDATE)

    assert actions(outcomes) == ["updated", "unchanged", "updated"]
    assert models.Member.objects.get().level == 1


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_key_may_be_of_any_type(use_bulk):
    class Faculties(processors.FacultyProcessor):
        key_fields = ["code", "closed"]
        fields = ["code", "closed", "name"]

    class Students(processors.StudentProcessor):
        key_fields = ["admitted_on", "fee"]

    Faculties.use_bulk = Students.use_bulk = use_bulk
    models.Faculty.objects.create(code="ENG", closed=True)
    columns = ["code", "closed", "name"]
    rows = [["ENG", "yes", "New"], ["ENG", "no", "Other"]]

    outcomes = process(Faculties, columns, rows, Mode.UPDATE)
    assert actions(outcomes) == ["updated", "failed"]
    assert models.Faculty.objects.get().name == "New"

    day = date(2024, 9, 1)
    models.Student.objects.create(matric_no="M1", admitted_on=day, fee=Decimal("1.50"))
    columns = ["admitted_on", "fee", "name"]
    rows = [["2024-09-01", "1.5", "Ada"], ["2024-09-01", "2", "Bob"]]
    outcomes = process(Students, columns, rows, Mode.UPDATE)
    assert actions(outcomes) == ["updated", "failed"]
    assert models.Student.objects.get().name == "Ada"


@pytest.mark.parametrize("use_bulk", [True, False])
@isolate_apps("tests.school")
def test_a_value_that_the_model_refuses_is_not_told_to_be_taken_as_well(use_bulk):
    class Guest(models.Student):
        class Meta:
            app_label = "school"
            proxy = True

        def clean(self):
            if self.email.endswith("@example.org"):
                raise ValidationError({"email": "No address of an example."})

    class Guests(processors.StudentProcessor):
        model = Guest

    Guests.use_bulk = use_bulk
    process(processors.StudentProcessor, STUDENT, students(1))
    row = ["M0", "Ada", "s0@example.org", "2024-09-01"]

    (update,) = process(Guests, STUDENT, [["M0", "Ada", *row[2:]]], Mode.UPDATE)
    (create,) = process(Guests, STUDENT, [["M1", *row[1:]]])

    assert [one.message for one in update.errors] == ["No address of an example."]
    assert [one.message for one in create.errors] == ["No address of an example."]


def test_a_row_that_only_the_database_finds_wrong_is_told_in_its_words():
    class Trusting(processors.MemberProcessor):
        def validate(self, entry):
            """Leave it to the database."""

    rows = [["A1", "1"], ["A2", "101"]]

    outcomes = process(Trusting, ["number", "points"], rows)

    assert actions(outcomes) == ["created", "failed"]
    (error,) = outcomes[1].errors
    assert error.code == "database"
    assert error.message.startswith("The database refuses the row: ")
    assert "school_member_points" in error.message


def test_the_name_of_a_file_and_the_bytes_of_an_object_are_compared_with_a_cell():
    models.Everything.objects.create(key="a", file="essay.txt", binary=b"\x00\x01")
    columns = ["key", "file", "binary"]
    rows = [["a", "essay.txt", "AAE="], ["a", "other.txt", "AAE="]]

    outcomes = process(processors.EverythingProcessor, columns, rows, Mode.UPDATE)

    assert actions(outcomes) == ["unchanged", "updated"]
    assert outcomes[1].fields == ("file",)


def test_bytes_in_the_form_that_postgresql_has_for_them_are_compared_with_a_cell():
    entry = models.Everything(binary=memoryview(b"\x00\x01"))

    assert (
        processors.EverythingProcessor().update_entry(entry, {"binary": b"\x00\x01"})
        == []
    )


# -- Cells that name other objects -----------------------------------------------------


def odd(*, name="Odd", bases=(db.Model,), **attributes):
    """Return a model without a table."""
    meta = type("Meta", (), {"app_label": "school"})
    return type(name, bases, {"__module__": __name__, "Meta": meta, **attributes})


def word(**options):
    return db.CharField(**{"max_length": 9, **options})


class PermissionProcessor(ModelProcessor):
    """Its foreign key leads to a model with a natural key."""

    model = Permission
    key_fields = ["content_type", "codename"]
    fields = ["content_type", "codename", "name"]


class GroupProcessor(ModelProcessor):
    model = Group
    key_fields = ["name"]
    fields = ["name", "permissions"]
    lookups = {"permissions": ("content_type__model", "codename")}


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_natural_key_names_the_object_of_a_foreign_key(use_bulk):
    class Permissions(PermissionProcessor):
        pass

    Permissions.use_bulk = use_bulk
    columns = ["content_type", "codename", "name"]
    rows = [["school/tag", "x", "One"], ["school/gat", "x", "Two"], ["tag", "x", "III"]]

    outcomes = process(Permissions, columns, rows, with_changes=True)

    assert actions(outcomes) == ["created", "failed", "failed"]
    assert errors(outcomes[1]) == [("content_type", "missing", "school/gat")]
    assert errors(outcomes[2]) == [("content_type", "missing", "tag")]
    made = Permission.objects.get(codename="x")
    assert made.content_type.model_class() is models.Tag


@isolate_apps("tests.school")
def test_a_natural_key_that_several_have_is_ambiguous():
    class Manager(db.Manager):
        def get_by_natural_key(self, name):
            return self.get(name=name)

    class Department(models.Faculty):
        objects = Manager()

        class Meta:
            app_label = "school"
            proxy = True

    class Lecturers(ModelProcessor):
        model = odd(department=db.ForeignKey(Department, db.CASCADE, related_name="+"))
        fields = ["department"]

    for code in ("A", "B"):
        models.Faculty.objects.create(code=code, name="Arts")

    (outcome,) = process(Lecturers, ["department"], [["Arts"]])

    assert errors(outcome) == [("department", "ambiguous", "Arts")]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_without_a_lookup_and_a_natural_key_the_primary_key_is_used(use_bulk):
    class ByPk(processors.MemberProcessor):
        lookups = {}

    ByPk.use_bulk = use_bulk
    faculty = models.Faculty.objects.create(code="ENG")
    rows = [["A1", str(faculty.pk)], ["A2", str(faculty.pk + 1)], ["A3", "ENG"]]

    outcomes = process(ByPk, ["number", "faculty"], rows)

    assert actions(outcomes) == ["created", "failed", "failed"]
    assert models.Member.objects.get().faculty == faculty
    assert errors(outcomes[1]) == [("faculty", "missing", str(faculty.pk + 1))]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_an_object_named_by_two_fields_must_have_both(use_bulk):
    class Books(processors.BookProcessor):
        pass

    Books.use_bulk = use_bulk
    faculties = [models.Faculty.objects.create(code=code) for code in ("ENG", "SCI")]
    for faculty, number in zip([*faculties, faculties[0]], (1, 2, 2), strict=True):
        models.Course.objects.create(faculty=faculty, number=number)
    rows = [["One", "ENG/1"], ["Two", "SCI/2"], ["Three", "SCI/1"]]

    outcomes = process(Books, ["title", "course"], rows)

    assert actions(outcomes) == ["created", "created", "failed"]
    assert [str(one.course) for one in models.Book.objects.order_by("title")] == [
        "ENG/1",
        "SCI/2",
    ]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_name_that_several_objects_have_is_ambiguous(use_bulk):
    class ByName(processors.MemberProcessor):
        lookups = {"faculty": "name"}

    ByName.use_bulk = use_bulk
    for code in ("A", "B", "C"):
        models.Faculty.objects.create(code=code, name="Arts")

    (outcome,) = process(ByName, ["number", "faculty"], [["A1", "Arts"]])

    assert errors(outcome) == [("faculty", "ambiguous", "Arts")]


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_list_of_many_becomes_what_the_cell_says(use_bulk):
    class Groups(GroupProcessor):
        pass

    Groups.use_bulk = use_bulk
    columns = ["name", "permissions"]

    def names():
        return set(
            Permission.objects.filter(group__name="One").values_list(
                "codename", flat=True
            )
        )

    rows = [["One", "tag/add_tag; tag/view_tag"], ["Two", ""], ["Three", "tag/no_tag"]]
    outcomes = process(Groups, columns, rows)
    assert actions(outcomes) == ["created", "created", "failed"]
    assert names() == {"add_tag", "view_tag"}
    kept = Group.permissions.through.objects.get(permission__codename="view_tag")

    rows = [["One", "tag/view_tag;book/add_book"], ["Two", "--CLEAR--"]]
    outcomes = process(Groups, columns, rows, Mode.UPDATE, with_changes=True)
    assert actions(outcomes) == ["updated", "unchanged"]
    assert outcomes[0].changes == (
        Change(
            field="permissions",
            old="tag/add_tag;tag/view_tag",
            new="book/add_book;tag/view_tag",
        ),
    )
    assert names() == {"view_tag", "add_book"}
    # What stays is not made anew.
    assert kept in Group.permissions.through.objects.all()

    (outcome,) = process(Groups, columns, [["One", "--CLEAR--"]], Mode.UPDATE)
    assert (outcome.action, names()) == ("updated", set())


@isolate_apps("tests.school")
def test_whether_a_cell_may_be_empty_is_what_the_relation_says():
    shelf = odd(
        code=word(),
        main=db.ForeignKey(models.Tag, db.CASCADE, default=1, related_name="+"),
        owner=db.ForeignKey(models.Faculty, db.CASCADE, related_name="+"),
        words=db.ManyToManyField(models.Tag, related_name="+"),
        others=db.ManyToManyField(models.Tag, blank=True, related_name="+"),
    )

    class ShelfProcessor(ModelProcessor):
        model = shelf
        key_fields = ["code"]
        fields = ["code", "main", "owner", "words", "others"]
        lookups = {"main": "word", "words": "word", "others": "word", "owner": "code"}

    required = ["code", "owner", "words"]
    assert ShelfProcessor().required_in(Mode.CREATE) == required
    clear = "--CLEAR--"
    (outcome,) = process(
        ShelfProcessor, ShelfProcessor.fields, [["", "", clear, clear, clear]]
    )
    assert errors(outcome) == [
        ("code", "blank", ""),
        ("owner", "blank", clear),
        ("words", "blank", clear),
    ]


# -- Rows that go one by one -----------------------------------------------------------


class Stamped(db.CharField):
    def pre_save(self, model_instance, add):
        return "stamped"


class Wrapped(db.CharField):
    """Has its SQL in the way of Django 6.1."""

    def get_placeholder_sql(self, value, compiler, connection):
        return "upper(%s)", [value]


def of_two_parents():
    one = odd(name="One")
    other = odd(name="Other", other_id=db.AutoField(primary_key=True))
    return odd(bases=(one, other), word=word())


def of_two_keys():
    both = db.CompositePrimaryKey("word", "number")
    return odd(pk=both, word=word(), number=db.IntegerField())


def named_by_another_rule():
    other = odd(name="Other", name_of=word(db_collation="C"))
    return odd(word=word(), other=db.ForeignKey(other, db.CASCADE))


def with_many_through_a_model():
    odd(name="Other")
    keys = {name: db.ForeignKey(name, db.CASCADE) for name in ("Odd", "Other")}
    odd(name="Link", **{name.lower(): key for name, key in keys.items()})
    return odd(word=word(), others=db.ManyToManyField("Other", through="Link"))


@pytest.mark.parametrize(
    ("model", "reason", "options"),
    [
        (lambda: odd(word=word()), "use_bulk is False", {"use_bulk": False}),
        (
            lambda: odd(word=word()),
            "validate() is its own",
            {"validate": lambda self, entry: None},
        ),
        (of_two_parents, "the model has several parents", {}),
        (of_two_keys, "the primary key is composite", {}),
        (
            lambda: odd(word=word(unique_for_date="day"), day=db.DateField()),
            "a field is unique for a date",
            {},
        ),
        (
            lambda: odd(word=db.ImageField(width_field="width"), width=word()),
            "word measures its image",
            {},
        ),
        (
            lambda: odd(word=Stamped(max_length=9)),
            "word has something done before it is saved",
            {},
        ),
        (
            lambda: odd(word=word(), data=db.BinaryField()),
            "data is written with SQL of its own",
            {},
        ),
        (
            lambda: odd(word=Wrapped(max_length=9)),
            "word is written with SQL of its own",
            {},
        ),
        (
            lambda: odd(word=word(db_collation="C")),
            "word is compared by the database's own rules",
            {},
        ),
        (
            named_by_another_rule,
            "other is looked up by the database's own rules",
            {"fields": ["word", "other"], "lookups": {"other": "name_of"}},
        ),
        (
            with_many_through_a_model,
            "others goes through a model of its own",
            {"fields": ["word", "others"]},
        ),
        (
            lambda: odd(word=word(), others=db.ManyToManyField("self")),
            "others leads to the same model",
            {"fields": ["word", "others"]},
        ),
    ],
)
@isolate_apps("tests.school")
def test_rows_of_what_bulk_cannot_do_in_the_same_way_go_one_by_one(
    model, reason, options
):
    attributes = {"key_fields": ["word"], "fields": ["word"], **options}
    processor = type("Odd", (ModelProcessor,), {"model": model(), **attributes})()

    assert obstacles(processor, ModelProcessor, Mode.CREATE) == [reason]
    assert isinstance(processor.prepare(processor.fields, Mode.CREATE), RowPlan)


@isolate_apps("tests.school")
def test_what_the_database_computes_is_no_obstacle():
    length = db.GeneratedField(
        expression=Length("word"), output_field=db.IntegerField(), db_persist=True
    )
    model = odd(word=word(), length=length)
    attributes = {"model": model, "key_fields": ["word"], "fields": ["word"]}
    processor = type("Plain", (ModelProcessor,), attributes)()

    assert obstacles(processor, ModelProcessor, Mode.UPDATE) == []
    assert isinstance(processor.prepare(["word"], Mode.UPDATE), BulkPlan)


def test_another_database_takes_the_rows_one_by_one(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "oracle")
    processor = processors.StudentProcessor()

    assert obstacles(processor, ModelProcessor, Mode.CREATE) == [
        "the database is oracle"
    ]
    assert isinstance(processor.prepare(STUDENT, Mode.CREATE), RowPlan)


@pytest.mark.parametrize(
    ("fields", "mode", "reasons"),
    [
        (["number", "boss"], Mode.CREATE, []),
        (["number", "boss"], Mode.UPDATE, ["objects refer to others of their kind"]),
        (["number"], Mode.UPDATE, []),
        (
            ["number"],
            Mode.REMOVE,
            ["removing an object may remove others of its kind"],
        ),
    ],
)
def test_objects_that_refer_to_others_of_their_kind_go_one_by_one_if_it_matters(
    fields, mode, reasons
):
    attributes = {"fields": fields}
    processor = type("Staff", (processors.EmployeeProcessor,), attributes)()

    assert obstacles(processor, ModelProcessor, mode) == reasons


def test_who_is_removed_with_another_one_is_missing_afterwards():
    boss = models.Employee.objects.create(number=1)
    models.Employee.objects.create(number=2, boss=boss)

    outcomes = process(
        processors.EmployeeProcessor, ["number"], [["1"], ["2"]], Mode.REMOVE
    )

    assert actions(outcomes) == ["removed", "failed"]
    assert errors(outcomes[1]) == [("number", "missing", "2")]


# -- What the database says ------------------------------------------------------------


@pytest.mark.parametrize("use_bulk", [True, False])
@pytest.mark.parametrize("mode", [Mode.CREATE, Mode.UPSERT])
@pytest.mark.parametrize("levels", [["", "gold", ""], ["gold", "", "silver"]])
def test_what_is_left_to_the_database_in_some_rows_is_kept_in_the_others(
    mode, use_bulk, levels
):
    class Badges(processors.BadgeProcessor):
        pass

    Badges.use_bulk = use_bulk
    rows = [[f"B{at}", level] for at, level in enumerate(levels)]

    outcomes = process(Badges, ["code", "level"], rows, mode)

    assert set(actions(outcomes)) == {"created"}
    found = models.Badge.objects.order_by("code").values_list("level", flat=True)
    assert list(found) == [level or "bronze" for level in levels]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("use_bulk", [True, False])
def test_what_the_database_refuses_at_the_commit_fails_at_its_row_on_demand(use_bulk):
    class Students(processors.StudentProcessor):
        pass

    Students.use_bulk = use_bulk
    process(Students, STUDENT, students(4))
    process(processors.BadgeProcessor, ["code", "holder"], [["A", "M2"]])
    plan = Students().prepare(["matric_no"], Mode.REMOVE)
    plan.judges_at_once = True

    with transaction.atomic():
        outcomes = plan.process([(at, [f"M{at}"]) for at in range(4)])

    assert actions(outcomes) == ["removed", "removed", "failed", "removed"]
    assert [error.code for error in outcomes[2].errors] == ["database"]
    assert models.Student.objects.get().matric_no == "M2"


# -- Cells that break what reads them --------------------------------------------------


def test_a_cell_at_which_a_field_breaks_fails_alone(caplog):
    class Breaking(forms.CharField):
        def clean(self, value):
            return {"": "", "a": "A", "b": "B"}[value]

    class Broken(Shelf):
        fields = {**Shelf.fields, "note": Breaking()}

    rows = [["1", "1", "a"], ["2", "1", "x"], ["3", "1", "b"]]
    outcomes = process(Broken, ["code", "size", "note"], rows)

    assert actions(outcomes) == ["created", "failed", "created"]
    assert errors(outcomes[1]) == [("note", "error", "x")]
    assert "KeyError" in caplog.text


def test_json_that_is_too_deep_fails_alone():
    rows = [["a", "[]"], ["b", "[" * 100_000], ["c", "{}"]]
    outcomes = process(processors.EverythingProcessor, ["key", "json"], rows)

    assert actions(outcomes) == ["created", "failed", "created"]
    assert errors(outcomes[1]) == [("json", "invalid", "[" * 100_000)]


def test_a_part_of_a_natural_key_that_is_none_fails_alone(monkeypatch):
    def found(manager, code, number):
        raise ValidationError("That is no date.")

    monkeypatch.setattr(models.CourseManager, "get_by_natural_key", found)

    class Books(processors.BookProcessor):
        lookups = {"tags": "word"}

    outcomes = process(Books, ["title", "course"], [["A", "x/y"], ["B", ""]])

    assert actions(outcomes) == ["failed", "created"]


# -- Statements ------------------------------------------------------------------------


def statements(plan, rows):
    with CaptureQueriesContext(connection) as queries:
        outcomes = plan.process(rows)
    return outcomes, len([one for one in queries if "SAVEPOINT" not in one["sql"]])


@pytest.mark.parametrize("count", [10, 500])
def test_a_batch_takes_as_many_statements_whatever_its_size(count):
    create = processors.StudentProcessor().prepare(STUDENT, Mode.CREATE)
    update = processors.StudentProcessor().prepare(STUDENT, Mode.UPDATE)
    remove = processors.StudentProcessor().prepare(STUDENT, Mode.REMOVE)
    rows = students(count)
    changed = [(at, [cells[0], "New", *cells[2:]]) for at, cells in rows]

    assert isinstance(create, BulkPlan)
    # New pks, rows.
    outcomes, made = statements(create, rows)
    assert (set(actions(outcomes)), made) == ({"created"}, 2)
    # Keys with all else, rows; PostgreSQL is told how to find these.
    outcomes, made = statements(update, changed)
    told = 2 if connection.vendor == "postgresql" else 0
    assert (set(actions(outcomes)), made) == ({"updated"}, 2 + told)
    outcomes, made = statements(update, changed)
    assert (set(actions(outcomes)), made) == ({"unchanged"}, 1)
    outcomes, made = statements(remove, rows)
    assert (set(actions(outcomes)), made) == ({"removed"}, 2)


def joins():
    """Return how PostgreSQL may join in this session; others have no such settings."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('enable_hashjoin'), "
            "current_setting('enable_mergejoin')"
        )
        return cursor.fetchone()


def test_an_update_leaves_the_settings_of_the_session_as_they_were():
    process(processors.StudentProcessor, STUDENT, students(3))
    with transaction.atomic():
        before = joins()

        changed = [(1, ["M1", "New", "s1@example.org", "2024-09-01"])]
        process(processors.StudentProcessor, STUDENT, changed, Mode.UPDATE)

        assert joins() == before


def test_an_update_leaves_to_a_closer_look_what_it_cannot_do_at_once():
    """A row without an object, two of one object, an address that another one has."""
    process(processors.StudentProcessor, STUDENT, students(6))
    plan = processors.StudentProcessor().prepare(STUDENT, Mode.UPDATE)
    rows = [
        (0, ["M0", "Once", "s0@example.org", "2024-09-01"]),
        (1, ["M9", "Nobody", "s9@example.org", "2024-09-01"]),
        (2, ["M1", "First", "s1@example.org", "2024-09-01"]),
        (3, ["M1", "Second", "s1@example.org", "2024-09-01"]),
        (4, ["", "No key", "s1@example.org", "2024-09-01"]),
    ]

    outcomes = plan.process(rows)
    taken = plan.process([(5, ["M2", "Ada", "s3@example.org", "2024-09-01"])])

    assert actions(outcomes) == ["updated", "failed", "updated", "updated", "failed"]
    assert [one.errors[0].code for one in (outcomes[1], taken[0])] == [
        "missing",
        "unique",
    ]
    names = dict(models.Student.objects.values_list("matric_no", "name"))
    assert (names["M0"], names["M1"]) == ("Once", "Second")


def test_a_foreign_key_takes_one_statement_more():
    for at in range(100):
        models.Faculty.objects.create(code=f"F{at}")
    plan = processors.MemberProcessor().prepare(["number", "faculty"], Mode.CREATE)

    outcomes, made = statements(
        plan, [(at, [f"A{at}", f"F{at % 100}"]) for at in range(400)]
    )

    assert set(actions(outcomes)) == {"created"}
    assert made == 3


def test_few_rows_that_the_database_refuses_cost_few_statements():
    plan = processors.MemberProcessor().prepare(["number", "points"], Mode.CREATE)
    rows = [(at, [f"A{at}", "101" if at == 77 else "1"]) for at in range(512)]

    outcomes, made = statements(plan, rows)

    failed = [outcome for outcome in outcomes if outcome.action is Action.FAILED]
    assert [outcome.number for outcome in failed] == [77]
    assert failed[0].errors[0].message == "Nobody has 100 points."
    assert made < 80


def test_values_that_are_taken_cost_no_statement_more():
    process(processors.StudentProcessor, STUDENT, students(1))
    plan = processors.StudentProcessor().prepare(STUDENT, Mode.CREATE)
    rows = students(100, start=1)
    rows[7][1][2] = rows[8][1][2] = "s0@example.org"

    outcomes, made = statements(plan, rows)

    assert actions(outcomes).count("failed") == 2
    # Keys, e-mail addresses, new pks, rows.
    assert made == 4


def test_what_is_there_costs_one_vain_try_for_as_long_as_rows_fail():
    process(processors.StudentProcessor, STUDENT, students(1))
    plan = processors.StudentProcessor().prepare(STUDENT, Mode.CREATE)
    in_vain, known, clean, trusted = (
        statements(plan, rows)
        for rows in (
            students(20),
            students(20),
            students(20, start=20),
            students(20, start=40),
        )
    )

    assert actions(in_vain[0]) == ["failed", *["created"] * 19]
    assert set(actions(known[0])) == {"failed"}
    assert set(actions(clean[0])) == set(actions(trusted[0])) == {"created"}
    assert [made for _outcomes, made in (in_vain, known, clean, trusted)] == [
        6,
        2,
        4,
        2,
    ]


def test_new_objects_and_their_pks_belong_together():
    outcomes = process(processors.StudentProcessor, STUDENT, students(50))

    found = dict(models.Student.objects.values_list("pk", "matric_no"))
    assert {outcome.pk: outcome.label for outcome in outcomes} == found
    # The next one that is made otherwise gets a pk of its own.
    models.Student.objects.create(matric_no="next", email="x", admitted_on="2024-09-01")


# -- No model --------------------------------------------------------------------------


class Shelf(BatchProcessor):
    """Keeps things in a dict."""

    what = "thing"
    key_fields = ["code"]
    fields = {
        "code": forms.CharField(max_length=5),
        "size": forms.IntegerField(min_value=1, initial=1, help_text="in cm"),
        "note": forms.CharField(required=False),
    }
    things: dict = {}

    def get_entry(self, row):
        return self.things.get(row["code"])

    def add_entry(self, row):
        return self.things.setdefault(row["code"], dict(row))

    def update_entry(self, entry, row):
        changed = [(name, entry.get(name), new) for name, new in row.items()]
        changed = [one for one in changed if one[1] != one[2]]
        entry.update(row)
        return changed

    def remove_entry(self, entry, row):
        del self.things[row["code"]]


def test_rows_can_become_anything():
    Shelf.things = {"a": {"code": "a", "size": 3, "note": "old"}}
    columns = ["code", "size", "note"]

    outcomes = process(Shelf, columns, [["a", "4", ""], ["b", "", "x"]], Mode.CREATE)
    assert actions(outcomes) == ["failed", "created"]
    assert Shelf.things["b"] == {"code": "b", "size": 1, "note": "x"}

    rows = [["a", "4", ""], ["a", "0", ""], ["c", "1", ""], ["b", "", "x"]]
    outcomes = process(Shelf, columns, rows, Mode.UPDATE, with_changes=True)
    assert actions(outcomes) == ["updated", "failed", "failed", "unchanged"]
    assert outcomes[0].changes == (Change(field="size", old="3", new="4"),)
    assert errors(outcomes[1]) == [("size", "min_value", "0")]
    assert errors(outcomes[2]) == [("code", "missing", "c")]

    outcomes = process(Shelf, columns, [["a", "", ""], ["a", "", ""]], Mode.REMOVE)
    assert actions(outcomes) == ["removed", "failed"]
    assert set(Shelf.things) == {"b"}


# -- Descriptions ----------------------------------------------------------------------


def test_a_template_has_required_columns_first():
    processor = processors.MemberProcessor()

    header = "number,email,faculty,level,points,nickname\r\n"
    assert processor.csv_template(Mode.CREATE) == header
    assert processor.csv_template(Mode.REMOVE) == "number,email\r\n"
    assert Shelf().csv_template(Mode.CREATE) == "code,size,note\r\n"


def test_every_field_is_described():
    described = {
        one.name: one for one in processors.MemberProcessor().describe(Mode.CREATE)
    }

    assert list(described) == processors.MemberProcessor.fields
    number, level = described["number"], described["level"]
    assert (number.label, number.type) == ("Number", "String (up to 8)")
    assert (number.required, number.is_key) == (True, True)
    assert level.choices == (("1", "First year"), ("2", "Second year"))
    assert not level.required
    assert described["faculty"].type == "Faculty, by Code"
    (size,) = [one for one in Shelf().describe(Mode.CREATE) if one.name == "size"]
    assert (size.type, size.help_text) == ("Integer", "in cm")
