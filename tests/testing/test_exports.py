"""The proof finds processors which an export of their own would change."""

from __future__ import annotations

import pytest

from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import RowError
from deliverystore.testing import assert_export_changes_nothing
from tests.school import models, processors

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def faculty():
    return models.Faculty.objects.create(code="ENG", name="Engineering")


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize("modes", [list(Mode), [Mode.CREATE, Mode.UPSERT]])
def test_a_good_processor_passes(file_format, modes, faculty):
    class Processor(processors.FacultyProcessor):
        pass

    Processor.modes = modes

    assert_export_changes_nothing(Processor(), file_format=file_format)
    assert_export_changes_nothing(Processor(), for_spreadsheet=True)


def test_one_that_changes_values_is_found_and_undone(faculty):
    class Processor(processors.FacultyProcessor):
        def clean_row(self, row, mode):
            return {**row, "name": row["name"].upper()}

    with pytest.raises(AssertionError, match=r"Record 1 \(ENG\) is updated: .*ENGIN"):
        assert_export_changes_nothing(Processor())
    faculty.refresh_from_db()
    assert faculty.name == "Engineering"


def test_one_that_refuses_its_own_rows_is_found():
    class Processor(processors.FacultyProcessor):
        def check_update(self, entry, row):
            raise RowError("not today")

    with pytest.raises(AssertionError, match=r"is failed: .*not today"):
        assert_export_changes_nothing(Processor())


def test_one_that_changes_something_behind_its_rows_is_found():
    class Processor(processors.FacultyProcessor):
        def check_update(self, entry, row):
            models.Faculty.objects.update(name="another")

    with pytest.raises(AssertionError, match="A second export differs"):
        assert_export_changes_nothing(Processor())


def test_columns_that_are_forbidden_in_an_update_are_left_out():
    class Processor(processors.FacultyProcessor):
        forbidden = {Mode.UPDATE: ["name"]}

    assert_export_changes_nothing(Processor())
