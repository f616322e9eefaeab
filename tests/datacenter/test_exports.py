"""Exports: what is in the files, who gets them, and what a kill leaves."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.utils import timezone

from deliverystore.datacenter import exports, open_table, runs
from deliverystore.datacenter.exports import ModelExporter, chunks, tasks, writing
from deliverystore.exceptions import (
    ExportRefused,
    MissingExtra,
    NotPermitted,
    ProcessorNotFound,
    RunBusy,
    SettingInvalid,
)
from deliverystore.models import Export, leases
from tests.datacenter.places import Killed
from tests.school import models, processors

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return allowed("ada", "run_export", "view_faculty")


def allowed(name, *codenames):
    user = User.objects.create_user(name)
    apps = ["deliverystore", "school"]
    known = Permission.objects.filter(content_type__app_label__in=apps)
    user.user_permissions.set(known.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def faculties(count):
    return models.Faculty.objects.bulk_create(
        models.Faculty(code=f"F{n:05}", name=f"Faculty {n}") for n in range(count)
    )


def rows_of(exporter, **options):
    text = b"".join(chunks(exporter, **options)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def names_in(center):
    return [entry.name for entry in center.place.entries("exports")]


def start(user=None, processor="faculty", **options):
    return exports.start_export(processor, user, enqueue=False, **options)


def let_expire(export):
    past = timezone.now() - timedelta(seconds=1)
    Export.objects.filter(pk=export.pk).update(expires=past)
    export.refresh_from_db()


# -- What is in a file -------------------------------------------------------------


def test_an_export_has_the_columns_of_the_processor_and_a_row_for_each_object():
    faculties(2)

    assert rows_of(ModelExporter.named("faculty")) == [
        ["code", "name"],
        ["F00000", "Faculty 0"],
        ["F00001", "Faculty 1"],
    ]


def test_without_objects_there_is_a_header():
    assert rows_of(ModelExporter.named("faculty")) == [["code", "name"]]


def test_other_objects_are_named_as_an_import_would_look_them_up():
    [one, other] = models.Faculty.objects.bulk_create(
        [models.Faculty(code="EN/G"), models.Faculty(code="SCI")]
    )
    course = models.Course.objects.create(faculty=one, number=101)
    book = models.Book.objects.create(title="x", course=course)
    book.tags.set(models.Tag.objects.bulk_create(map(_tag, ["red", "b;lue"])))
    models.Member.objects.create(number="A1", faculty=other)

    [_, row] = rows_of(ModelExporter.named("book"))
    assert row[-2:] == [r"EN\/G/101", r"b\;lue;red"]
    assert rows_of(ModelExporter.named("member"))[1][2] == "SCI"


def _tag(word):
    return models.Tag(word=word)


def test_a_natural_key_names_an_object_if_the_processor_names_no_lookup():
    class Processor(processors.BookProcessor):
        lookups = {}

    faculty = models.Faculty.objects.create(code="ENG")
    course = models.Course.objects.create(faculty=faculty, number=101)
    models.Book.objects.create(title="x", course=course)

    assert rows_of(ModelExporter(Processor()))[1][-2] == "ENG/101"


def test_a_list_with_something_that_has_no_name_is_left_empty():
    book = models.Book.objects.create(title="x")
    book.tags.set(models.Tag.objects.bulk_create(map(_tag, ["red", " "])))

    assert rows_of(ModelExporter.named("book"))[1][-1] == ""


def test_what_a_field_refuses_to_take_again_is_left_empty():
    class Processor(processors.StudentProcessor):
        fields = ["matric_no", "name"]

    models.Student.objects.create(
        matric_no="1", name="", email="a@b.org", admitted_on="2024-01-01"
    )

    assert rows_of(ModelExporter(Processor()))[1] == ["1", ""]


def test_sensitive_fields_are_left_out_unless_they_are_keys():
    class Processor(processors.MemberProcessor):
        sensitive = ["number", "points", "email"]
        key_fields = ["number"]

    header = ModelExporter(Processor()).header

    assert header == ("number", "faculty", "level", "nickname")


def test_a_model_needs_no_processor():
    models.Member.objects.create(number="A1", points=-3)

    exporter = ModelExporter.of_model(models.Member)
    some = ModelExporter.of_model(models.Member, ["number", "points"])

    assert exporter.header[:3] == ("id", "number", "email")
    assert rows_of(some) == [["number", "points"], ["A1", "-3"]]
    assert "person_ptr" in ModelExporter.of_model(models.Teacher).header


def test_only_processors_of_models_can_be_exported(monkeypatch):
    from deliverystore.datacenter import registry
    from deliverystore.datacenter.processors import BatchProcessor

    class RoomProcessor(BatchProcessor):
        name = "rooms"

    monkeypatch.setattr(registry, "_registered", [RoomProcessor])
    with pytest.raises(ExportRefused, match="'rooms' is not the processor of a model"):
        ModelExporter.named("rooms")


# -- Formulas ----------------------------------------------------------------------


def test_formulas_are_neutralised_for_a_spreadsheet_and_else_left_alone():
    models.Faculty.objects.create(code="F", name="=1+1")

    plain = b"".join(chunks(ModelExporter.named("faculty")))
    safe = b"".join(chunks(ModelExporter.named("faculty"), for_spreadsheet=True))

    assert plain == b"code,name\r\nF,=1+1\r\n"
    assert safe == b"\xef\xbb\xbfcode,name\r\nF,'=1+1\r\n"


def test_the_import_takes_a_neutralised_formula_for_what_it_was(center):
    models.Faculty.objects.create(code="F", name="x")
    center.upload("f.csv", ["code,name\r\nF,'=1+1\r\n"])

    runs.work(runs.start_run("f.csv", "faculty", "update", enqueue=False))

    assert models.Faculty.objects.get().name == "=1+1"


def test_a_text_that_looks_like_the_token_that_clears_does_not_clear():
    models.Faculty.objects.create(code="F", name="--CLEAR--")

    assert rows_of(ModelExporter.named("faculty"))[1] == ["F", "'--CLEAR--"]


# -- Filters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"faculty": "ENG"}, ["A1", "A2"]),
        ({"faculty": ""}, ["A3"]),
        ({"level": "second year"}, ["A2", "A3"]),
        ({"level": "2", "faculty": " ENG "}, ["A2"]),
        ({"nickname": ""}, ["A2", "A3"]),
        ({"email": ""}, ["A1", "A2", "A3"]),
        ({"points": "7"}, []),
    ],
)
def test_filters_are_written_as_cells_are(filters, numbers):
    faculty = models.Faculty.objects.create(code="ENG")
    models.Member.objects.create(number="A1", faculty=faculty, nickname="al")
    models.Member.objects.create(number="A2", faculty=faculty, level=2)
    models.Member.objects.create(number="A3", level=2)

    exporter = ModelExporter.named("member", filters=filters)

    assert [row[0] for row in rows_of(exporter)[1:]] == numbers
    assert exporter.count() == len(numbers)


def test_a_filter_on_a_list_asks_for_all_that_it_names():
    red, blue = models.Tag.objects.bulk_create(map(_tag, ["red", "blue"]))
    for title, tags in {"One": [red], "Two": [red, blue], "Three": []}.items():
        models.Book.objects.create(title=title).tags.set(tags)

    def titles(tags):
        rows = rows_of(ModelExporter.named("book", filters={"tags": tags}))
        return sorted(row[1] for row in rows[1:])

    assert titles("red") == ["One", "Two"]
    assert titles("red;blue") == ["Two"]
    assert titles("") == ["Three"]


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"nobody": "x"}, "There is no field 'nobody'; there are: number, email"),
        ({"faculty": "XXX"}, "faculty=XXX: There is no faculty “XXX”"),
        ({"points": "many"}, "points=many: “many” value must be an integer"),
        ({"level": "third"}, "level=third: "),
    ],
)
def test_a_filter_that_cannot_mean_anything_is_refused(filters, reason):
    with pytest.raises(ExportRefused, match=reason):
        ModelExporter.named("member", filters=filters)


def test_a_sensitive_field_cannot_be_asked_by_a_filter():
    class Processor(processors.MemberProcessor):
        sensitive = ["points"]

    with pytest.raises(ExportRefused, match="no field 'points'"):
        ModelExporter(Processor(), filters={"points": "1"})


# -- Batches -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_batches_leave_nothing_out_and_have_nothing_twice(size):
    faculties(250)

    codes = [
        row[0]
        for rows in ModelExporter.named("faculty").batches(size)
        for row in rows
        if len(rows) <= size
    ]

    assert codes == [f"F{n:05}" for n in range(250)]


def test_batches_are_small_where_rows_are_large(monkeypatch):
    monkeypatch.setattr(exports.exporters, "BATCH_CHARACTERS", 1000)
    models.Everything.objects.bulk_create(
        models.Everything(key=str(n), text="x" * 200) for n in range(120)
    )

    sizes = [len(rows) for rows in ModelExporter.named("everything").batches()]

    assert sizes[0] == 100
    assert max(sizes[1:]) < 5


@pytest.mark.parametrize(
    ("processor", "queries"), [("student", 1), ("member", 2), ("book", 4)]
)
def test_a_batch_takes_as_many_queries_whatever_is_in_it(
    processor, queries, django_assert_num_queries
):
    people(200)
    # A first batch of 100, a second one, and the one that finds nothing more.
    with django_assert_num_queries(2 * queries + 1):
        assert len(rows_of(ModelExporter.named(processor))) == 201


def test_so_it_does_with_natural_keys(django_assert_num_queries):
    class Processor(processors.BookProcessor):
        lookups = {"tags": "word"}

    people(200)
    with django_assert_num_queries(2 * 4 + 1):
        assert len(rows_of(ModelExporter(Processor()))) == 201


def people(count):
    known = faculties(count)
    courses = models.Course.objects.bulk_create(
        models.Course(faculty=one, number=1) for one in known
    )
    tags = models.Tag.objects.bulk_create(_tag(f"t{n}") for n in range(count))
    books = models.Book.objects.bulk_create(
        models.Book(title=str(n), course=courses[n]) for n in range(count)
    )
    models.Book.tags.through.objects.bulk_create(
        models.Book.tags.through(book=book, tag=tag)
        for book, tag in zip(books, tags, strict=True)
    )
    models.Member.objects.bulk_create(
        models.Member(number=f"A{n}", faculty=known[n]) for n in range(count)
    )
    models.Student.objects.bulk_create(
        models.Student(
            matric_no=str(n), name="x", email=f"{n}@b.org", admitted_on="2024-01-01"
        )
        for n in range(count)
    )


# -- Workbooks ---------------------------------------------------------------------


def table_of(exporter):
    return open_table(io.BytesIO(b"".join(chunks(exporter, "xlsx"))))


def test_a_workbook_has_numbers_as_numbers_and_all_else_as_texts():
    import python_calamine

    models.Student.objects.create(
        matric_no="007",
        name="=1+1",
        email="a@b.org",
        admitted_on="2024-01-31",
        fee="-1.50",
    )
    book = io.BytesIO(b"".join(chunks(ModelExporter.named("student"), "xlsx")))

    workbook = python_calamine.CalamineWorkbook.from_filelike(book)
    rows = workbook.get_sheet_by_index(0).to_python()

    assert rows[1] == ["007", "=1+1", "a@b.org", "2024-01-31", -1.5]


def test_a_number_that_a_sheet_would_round_is_a_text():
    large = 2**62 + 1
    models.Everything.objects.create(
        key="k", big=large, float=0.1 + 0.2, decimal="1.10"
    )

    [record] = table_of(ModelExporter.named("everything"))
    cells = dict(
        zip(ModelExporter.named("everything").header, record.cells, strict=True)
    )

    assert cells["big"] == str(large)
    assert cells["float"] == str(0.1 + 0.2)
    assert cells["decimal"] == "1.1"


def test_what_is_too_long_for_a_cell_of_a_workbook_is_refused():
    models.Everything.objects.create(key="k", text="x" * 32_768)

    with pytest.raises(ExportRefused, match=r"Record 1, text: .* 32,768\."):
        list(chunks(ModelExporter.named("everything"), "xlsx"))


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch):
    monkeypatch.setattr(writing, "MAX_SHEET_ROWS", 2)
    faculties(3)

    with pytest.raises(ExportRefused, match="at most 2 records"):
        chunks(ModelExporter.named("faculty"), "xlsx")


def test_rows_that_are_added_meanwhile_can_be_too_many(monkeypatch):
    monkeypatch.setattr(writing, "MAX_SHEET_ROWS", 2)
    pieces = chunks(ModelExporter.named("faculty"), "xlsx")
    faculties(3)

    with pytest.raises(ExportRefused, match="at most 2 records"):
        list(pieces)


def test_a_missing_extra_is_named(monkeypatch, center):
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)

    with pytest.raises(MissingExtra, match=r"deliverystore\[xlsx\]"):
        start(file_format="xlsx")
    assert not Export.objects.exists()


# -- An export, from its beginning to its end --------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_an_export_is_written_and_given_to_its_owner(center, ada, file_format):
    faculties(3)
    export = start(ada, file_format=file_format)
    assert (export.state, export.share_done) == ("waiting", None)

    export = exports.work(export)

    assert (export.state, export.rows, export.total) == ("finished", 3, 3)
    assert export.share_done == 1.0
    assert export.filename == f"faculty-{timezone.localdate()}.{file_format}"
    with exports.open_export(export, ada) as file:
        assert [record.cells[0] for record in open_table(file)] == [
            *("F00000", "F00001", "F00002")
        ]
    assert names_in(center) == [export.file]
    assert export.size == center.place.entry(export.file).size


def test_it_works_where_the_data_center_is_in_a_storage(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "tables": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    settings.DELIVERY_STORE_DATACENTER_STORAGE = "tables"
    faculties(1)

    export = exports.work(start())

    with exports.open_export(export) as file:
        assert b"F00000" in file.read()


def test_its_file_is_in_no_list_of_the_data_center_and_no_other_door_opens_it(center):
    export = exports.work(start())

    assert center.get_pending_files() == center.get_finished_files() == []
    with pytest.raises(ValueError, match="in no folder of a data center"):
        center.open(export.file)


def test_the_files_move_with_the_data_center(center, tmp_path):
    export = exports.work(start())
    (tmp_path / "new").mkdir()

    center.set_storage_path(tmp_path / "new", move=True)

    assert center.place.exists(export.file)


def test_events_are_logged_without_values(center, ada, caplog):
    caplog.set_level("INFO", "deliverystore.datacenter")
    faculties(1)

    export = exports.work(start(ada, filters={"code": "F00000"}))
    exports.open_export(export, ada).close()
    exports.delete_export(export, ada)

    said = caplog.messages
    assert [one.split()[0] for one in said] == ["export", "download", "delete"]
    assert all("'faculty' user='ada'" in one for one in said)
    assert "F00000" not in "".join(said)


def test_an_export_is_done_by_a_task_once_it_is_committed(
    center, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        export = exports.start_export("faculty")
    assert Export.objects.get().state == "waiting"
    for callback in callbacks:
        callback()

    export.refresh_from_db()
    assert export.state == "finished"


def test_without_a_framework_it_waits(
    center, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "run_export", None)

    with django_capture_on_commit_callbacks(execute=True):
        export = exports.start_export("faculty")

    assert list(exports.left()) == [export]


# -- Who may -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codenames", "may"),
    [
        (["run_export", "view_faculty"], True),
        (["run_export", "change_faculty"], True),
        (["run_export"], False),
        (["view_faculty", "change_faculty"], False),
    ],
)
def test_to_export_takes_the_permission_and_that_to_see_the_objects(
    center, codenames, may
):
    user = allowed("bob", *codenames)

    assert exports.may_export(user, processors.FacultyProcessor) is may
    assert exports.exporters_for(user) == (["faculty"] if may else [])
    if may:
        start(user)
    else:
        with pytest.raises(NotPermitted, match="bob may not export 'faculty'"):
            start(user)


def test_that_there_is_no_processor_is_told_in_the_same_words_to_users(center, ada):
    with pytest.raises(NotPermitted, match="ada may not export 'nobody'"):
        start(ada, "nobody")
    with pytest.raises(ProcessorNotFound):
        start(None, "nobody")


def test_nobody_but_the_owner_gets_the_file_or_deletes_it(center, ada):
    export = exports.work(start(ada))
    of_nobody = exports.work(start())
    others = [allowed("bob", "run_export", "view_faculty"), AnonymousUser()]
    others.append(User.objects.create_superuser("root"))

    for user in others:
        for one in (export, of_nobody):
            for door in (exports.open_export, exports.delete_export, exports.repeat):
                with pytest.raises(NotPermitted):
                    door(one, user)
    assert len(names_in(center)) == 2


def test_who_may_not_export_any_more_has_lost_the_file(center, ada):
    export = exports.work(start(ada))
    ada.user_permissions.clear()
    ada = User.objects.get(pk=ada.pk)

    with pytest.raises(NotPermitted, match="may not export"):
        exports.open_export(export, ada)


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"file_format": "pdf"}, ExportRefused, "'pdf' is no format"),
        ({"filters": {"x": "y"}}, ExportRefused, "no field 'x'"),
    ],
)
def test_what_cannot_work_is_said_at_once(center, options, error, reason):
    with pytest.raises(error, match=reason):
        start(**options)
    assert not Export.objects.exists()


def test_that_there_is_no_data_center_is_said_at_once():
    with pytest.raises(SettingInvalid, match="DATACENTER_ROOT is not set"):
        start()


# -- Interruptions -----------------------------------------------------------------


def killed(export, after=0):
    """Work on an export until its worker is killed; its process lives on, as a test."""

    def kill(export):
        if export.rows > after:
            raise Killed

    with pytest.raises(Killed):
        exports.work(export, advance=kill)
    Export.objects.filter(pk=export.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_killed_export_leaves_no_file_is_seen_as_such_and_can_be_repeated(
    center, django_capture_on_commit_callbacks
):
    faculties(250)
    export = start()
    killed(export, after=100)

    assert names_in(center) == []
    assert list(exports.left()) == [export]
    with pytest.raises(ExportRefused, match="has no file: running"):
        exports.open_export(Export.objects.get())
    with django_capture_on_commit_callbacks(execute=True):
        exports.repeat(export)

    export.refresh_from_db()
    assert (export.state, export.rows) == ("finished", 250)
    assert len(names_in(center)) == 1


def test_an_export_with_a_worker_is_left_to_it(center):
    export = start()
    leases.take(export)

    assert list(exports.left()) == []
    with pytest.raises(RunBusy, match="Another worker is at export"):
        exports.work(export)
    with pytest.raises(ExportRefused, match="a worker is at it"):
        exports.repeat(export)


def test_a_worker_that_was_overtaken_leaves_no_file(center):
    faculties(1)
    export = start()

    def overtake(_export):
        Export.objects.filter(pk=export.pk).update(worker="another:1:x")

    with pytest.raises(RunBusy, match="taken over"):
        exports.work(export, advance=overtake)
    assert names_in(center) == []


def test_deleted_while_a_worker_is_at_it_an_export_is_gone(center):
    faculties(1)
    export = start()

    with pytest.raises(RunBusy):
        exports.work(
            export, advance=lambda one: exports.delete_export(Export(pk=one.pk))
        )
    assert not Export.objects.exists()
    assert names_in(center) == []


def test_it_is_written_down_now_and_then_how_far_it_is(center, monkeypatch):
    monkeypatch.setattr(exports.working, "_STEP", 0)
    faculties(250)
    seen = []

    def look(_export):
        export = Export.objects.get()
        seen.append((export.rows, export.total, export.state))

    exports.work(start(), advance=look)

    assert seen == [(0, 250, "running"), (100, 250, "running")]


def test_asked_to_stop_it_waits_again(center):
    faculties(1)

    export = exports.work(start(), is_stopped=lambda: True)

    assert (export.state, export.worker) == ("waiting", "")
    assert names_in(center) == []
    assert list(exports.left()) == [export]


def test_an_error_is_told_and_the_export_can_be_repeated(center, monkeypatch):
    export = start()

    def refuse(*arguments, **options):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(exports.working, "chunks", refuse)
        with pytest.raises(OSError, match="full"):
            exports.work(export)

    export.refresh_from_db()
    assert (export.state, export.error) == ("broken", "OSError: the disk is full")
    assert exports.work(export).state == "finished"
    assert export.error == ""


def test_what_would_end_in_the_same_way_again_has_failed(center):
    models.Everything.objects.create(key="k", text="x" * 32_768)
    export = start(processor="everything", file_format="xlsx")

    with pytest.raises(ExportRefused):
        exports.work(export)

    export.refresh_from_db()
    assert (export.state, export.is_over) == ("failed", True)
    assert "Export CSV" in export.error


# -- The end -----------------------------------------------------------------------


def test_an_expired_export_is_not_given_out_and_is_swept(center):
    kept, expired = exports.work(start()), exports.work(start())
    let_expire(expired)

    with pytest.raises(ExportRefused, match="was kept until"):
        exports.open_export(expired)
    assert exports.count_expired() == 1
    assert exports.sweep() == 1
    assert list(Export.objects.all()) == [kept]
    assert names_in(center) == [kept.file]
    assert exports.sweep() == 0


def test_an_export_that_waits_expires_and_one_with_a_worker_does_not(center):
    waiting, running = start(), start()
    leases.take(running)
    for export in (waiting, running):
        let_expire(export)

    assert exports.sweep() == 1
    assert list(Export.objects.all()) == [running]


def test_a_file_that_no_export_has_is_swept_after_the_grace_period(center, settings):
    export = exports.work(start())
    Export.objects.all().delete()

    exports.sweep()
    assert names_in(center) == [export.file]
    settings.DELIVERY_STORE_GRACE = timedelta(0)
    exports.sweep()
    assert names_in(center) == []


def test_where_there_is_no_data_center_there_is_nothing_to_sweep():
    assert (exports.sweep(), exports.count_expired()) == (0, 0)


def test_how_long_exports_are_kept_is_a_setting(center, settings):
    settings.DELIVERY_STORE_KEEP_EXPORTS = timedelta(hours=1)

    export = exports.work(start())

    assert export.expires - export.ended < timedelta(hours=1, seconds=5)
    assert export.expires - export.ended > timedelta(minutes=59)


def test_the_owner_can_delete_it_sooner(center, ada):
    export = exports.work(start(ada))

    exports.delete_export(export, ada)

    assert not Export.objects.exists()
    assert names_in(center) == []


def test_exports_of_a_removed_user_are_nobodys(center, ada):
    export = exports.work(start(ada))
    ada.delete()

    export.refresh_from_db()
    assert export.user is None
