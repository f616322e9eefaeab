"""Many real processes at the same moment, on a real database."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.processes


def test_sixteen_that_finish_together_get_the_numbers_1_to_16(project):
    assert sorted(project.race("finish", 16)) == list(range(1, 17))


def test_one_delivery_is_finished_once(project):
    said = project.race("finish_one", 8)

    assert sorted(said) == ["finished"] + 7 * ["refused: DeliveryNotOpen"]
    assert project.query("Delivery.objects.get().number") == 1


def test_of_eight_files_of_one_name_one_is_kept_whole(project):
    said = project.race("add_one_name", 8)

    kept = [one for one in said if not one.startswith("refused")]
    assert len(kept) == 1
    assert said.count("refused: DuplicateFilename") == 7
    stored = "FileMeta.objects.get().get_all_data_as_string().decode()"
    assert project.query(stored) == kept[0]
    assert len(project.files()) == 1


def test_what_was_answered_is_in_the_finished_delivery_and_nothing_else(project):
    said = project.race("add_and_finish", 6)

    answered = {one for one in said if one.endswith(".txt")}
    assert len(said) - len(answered) - 1 == said.count("refused: DeliveryNotOpen")
    stored = "list(FileMeta.objects.values_list('filename', flat=True))"
    assert set(project.query(stored)) == {"hello.txt", *answered}
    verified = "[c for _, c in Delivery.objects.get().verify()]"
    assert set(project.query(verified)) == {"intact"}
    assert len(project.files()) == len(answered) + 1


def test_adding_to_what_is_just_abandoned_is_refused_and_leaves_nothing(project):
    said = project.race("add_and_abandon", 4)

    assert said == ["done"] * 4
    assert project.query("Delivery.objects.count()") == 0
    assert project.files() == []


def test_a_file_that_begins_too_late_does_not_prevent_abandoning(project):
    said = project.race("add_during_an_abandonment", 2)

    assert sorted(said) == ["abandoned", "refused: DeliveryNotOpen"]
    assert project.query("Delivery.objects.count()") == 0


@pytest.mark.parametrize("place", ["", "_to_a_storage"])
def test_of_uploads_of_one_name_each_is_kept_whole_or_refused(project, place):
    said = project.race(f"upload_one_name{place}", 8)

    kept = [one for one in said if not isinstance(one, str)]
    assert len(said) - len(kept) == said.count("refused: FileExists")
    assert len({name for name, _ in kept}) == len(kept) >= 4
    center = project.root.with_name(f"{project.root.name}-center")
    content = {path.name: path.read_text() for path in center.rglob("*.csv")}
    assert content == {name: f"a\n{number}\n" for name, number in kept}
    known = "list(DataFileInfo.objects.values_list('name', flat=True))"
    assert sorted(project.query(known)) == sorted(content)


@pytest.mark.parametrize("place", ["", "_in_a_storage"])
def test_files_of_one_family_are_distributed_one_run_after_the_other(project, place):
    said = project.race(f"distribute_one_family{place}", 4)

    modes = ["create", "remove", "update", "upsert"]
    finished = [f"finished/N.{mode}.finished.csv" for mode in modes]
    assert sorted(said) == finished
    center = project.root.with_name(f"{project.root.name}-center")
    found = [path for path in center.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(center).as_posix() for path in found)
    assert names == sorted(["finished/N.csv", *finished])


def test_imports_that_end_together_do_not_disturb_each_other(project):
    said = project.race("end_imports", 3)

    assert said == [["finished"] * 8] * 3


def test_the_number_of_files_holds_for_all_together(project):
    project.environment["DELIVERYSTORE_MAX_FILES"] = "3"
    said = project.race("exceed_the_files", 8)

    assert said.count(10) == 3
    assert said.count("refused: TooManyFiles") == 5
    assert len(project.files()) == 3


def test_the_quota_holds_for_all_together(project):
    project.environment["DELIVERYSTORE_QUOTA"] = "35"
    said = project.race("exceed_the_quota", 8)

    assert said.count(10) == 3
    assert said.count("refused: QuotaExceeded") == 5
    assert len(project.files()) == 3
