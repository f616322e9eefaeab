"""Campus's staff in a browser: what the pictures of the documentation show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun
from example_project.campus.demo.handing_in import hand_in
from example_project.campus.demo.homework import all_homework
from example_project.campus.demo.importing import bring_in
from example_project.registrar.models import Student
from example_project.registrar.samples import LONG_NAME, all_samples, newcomers
from tests.admin.datacenter.people import FILES, sign_in
from tests.browser import photograph

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEW = """matriculation no.,first_name,last_name,email,born_on,faculty,year
2610001,Amélie,Laurent,amelie.laurent@campus.example,2007-03-14,Science,1
2610002,Kofi,Mensah,kofi.mensah@campus.example,2006-11-02,Arts,1
2610003,Yuki,Tanaka,yuki.tanaka@campus.example,2007-07-21,Law,1
"""


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """Leave to the test when a worker comes."""
    from deliverystore.datacenter.runs import tasks

    monkeypatch.setattr(tasks, "run_import", None)


@pytest.fixture
def opened(page, live_server, client):
    """Open pages as somebody."""

    def opened(user, path):
        client.force_login(user)
        sign_in(page, live_server, client)
        page.goto(live_server.url + path)
        return page

    return opened


def test_the_teacher_finds_a_delivery_with_all_that_is_known_of_it(
    opened, teacher, amina, assignments
):
    homework = all_homework(big_file_bytes=2**20)[0]
    delivery = hand_in(homework, amina, assignments["pendulum"]).delivery

    page = opened(teacher, "/admin/deliverystore/delivery/")
    page.get_by_role("link", name="1", exact=True).first.click()

    expect(page.locator("#files tbody tr")).to_have_count(len(homework.files))
    expect(page.get_by_text(delivery.manifest_digest)).to_be_attached()
    photograph(page, "admin", end="#files")


def test_the_registrar_corrects_a_value_and_all_rows_are_in(opened, registrar):
    bring_in(all_samples(students=10_000)[0], registrar)
    bring_in(newcomers(students=10_000), registrar)

    page = opened(registrar, "/admin/deliverystore/importrun/")
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("heading", name="some rows failed")).to_be_visible()
    photograph(page, "import", end="#failures")
    page.get_by_label(f"What is meant by {LONG_NAME} in faculty").fill("Science")
    page.get_by_role("button", name="Correct, and try the failed rows again").click()
    expect(page).to_have_url(re.compile(r"/importrun/\d+/change/"))
    runs.work(ImportRun.objects.get(state="waiting"))

    done = page.get_by_role("heading", name="all rows are in")
    expect(done).to_be_visible(timeout=15_000)
    together = page.get_by_text("Of 1,000 rows: 1,000 in, 0 left, 0 blank.")
    expect(together).to_be_visible()
    photograph(page, "tries", end="#tries")
    assert Student.objects.count() == 1000


def test_the_registrar_uploads_a_file_and_looks_at_its_columns(
    opened, registrar, tmp_path
):
    bring_in(all_samples(students=10_000)[0], registrar)
    file = Path(tmp_path, "autumn-2026.csv")
    file.write_text(NEW, encoding="utf-8")

    page = opened(registrar, FILES)
    page.get_by_label("Files with rows").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Go on to its columns").click()
    page.get_by_label("Processor and mode").select_option("students:create")
    page.get_by_role("button", name="Use this").click()

    fields = page.locator("[name^='column-']")
    expect(fields).to_have_count(7)
    expect(page.get_by_label("year", exact=True)).to_have_value("field:year")
    photograph(page, "preview", end="[name^='column-']")
