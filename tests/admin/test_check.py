"""Checks in the admin, and what the list of deliveries says of the last one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliverystore.admin.check import FINDINGS_PER_PAGE
from deliverystore.models import Check, Delivery, Finding
from tests.admin.conftest import LIST
from tests.admin.test_list import ids, rows
from tests.checking.conftest import check, falsify, hand_in, lay, path_of
from tests.factories import open_delivery

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = "/admin/deliverystore/check/"


def page_of(checked):
    return f"{CHECKS}{checked.pk}/change/"


def words(text):
    """Return the text of a page as it is read."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def damaged():
    """Hand three deliveries in, check them, and find one damaged."""
    deliveries = hand_in(3)
    falsify(deliveries[1].files.get())
    return deliveries[1]


# -- The list of deliveries --------------------------------------------------------


def test_the_list_says_when_how_much_and_that_all_is_well(show):
    hand_in(3)
    check()
    text = words(show())

    assert re.search(r"Last check, 0\sminutes ago: 3 files, 33\sbytes read,", text)
    assert "nothing found" in text
    assert "Deliveries concerned" not in text


def test_the_list_leads_to_the_deliveries_concerned(show, client, damaged):
    check()
    text = show()

    assert "1 finding" in text
    [link] = re.findall(r'href="([^"]+)">Deliveries concerned', text)
    assert link == f"{LIST}?check=unrepaired"
    assert rows(client.get(link).text) == ids(damaged)


def test_it_speaks_of_the_check_that_ended_last_not_of_one_that_has_begun(
    show, damaged
):
    checked = check()
    check(max_bytes=1)

    assert page_of(checked) in show()


def part_of(file, parts=3):
    """Return the part in which a file is looked at."""
    return {"part": (file.pk - 1) % parts + 1, "parts": parts}


def test_a_check_of_sizes_does_not_make_good_what_a_full_one_found(show, damaged):
    checked = check()
    check(quick=True)
    text = show()

    assert "sizes only" in text
    assert "nothing found" not in text
    assert page_of(checked) in text
    assert rows(show(check="unrepaired")) == ids(damaged)


def test_a_check_of_one_part_does_not_make_good_what_another_found(show, damaged):
    file = damaged.files.get()
    checked = check(**part_of(file))
    check(part=file.pk % 3 + 1, parts=3)
    text = show()

    assert "nothing found" not in text
    assert page_of(checked) in text
    assert f"{checked} ({checked.subset})" in text
    assert rows(show(check="unrepaired")) == ids(damaged)


def test_what_a_check_under_way_has_found_is_shown_at_once(show):
    deliveries = hand_in(3)
    check()
    falsify(deliveries[0].files.get())
    under_way = check(max_bytes=12)
    text = show()

    assert under_way.ending == "limit"
    assert page_of(under_way) in text
    assert "nothing found" not in text


@pytest.mark.parametrize("again", ["whole", "part"])
def test_a_later_check_of_the_same_takes_the_place_of_an_earlier_one(
    show, damaged, again
):
    file = damaged.files.get()
    content = path_of(file).read_bytes()
    old = check(**part_of(file))
    path_of(file).write_bytes(bytes([content[0] ^ 1]) + content[1:])
    check(**(part_of(file) if again == "part" else {}))
    text = show()

    assert old.found == 1
    assert "nothing found" in text
    assert "Deliveries concerned" not in text


def test_very_many_checks_with_findings_are_not_all_named(show, damaged):
    Check.objects.bulk_create(
        Check(part=part, parts=9, found=1, finished=timezone.now(), ending="complete")
        for part in range(1, 9)
    )
    text = show()

    assert text.count("1 finding</span>") == 5
    assert f'<a href="{CHECKS}">…</a>' in text


def test_while_none_has_ended_it_speaks_of_the_one_under_way(show):
    hand_in(3)
    checked = check(max_bytes=1)
    text = show()

    assert "A check is under way" in text
    assert page_of(checked) in text


def test_before_the_first_check_the_list_says_how_to_check(show):
    hand_in(1)

    assert "Never checked: manage.py check_deliveries compares all" in words(show())


def test_while_nothing_was_handed_in_there_is_nothing_to_check(show):
    assert 'class="deliverystore-check"' not in show()


def test_who_may_not_view_checks_does_not_see_them(client, staff, damaged):
    checked = check()
    client.force_login(staff("view"))

    text = client.get(LIST).text
    assert "Last check" not in text
    assert "findings of" not in text
    assert len(rows(client.get(LIST, {"check": checked.pk}).text)) == 3
    assert client.get(CHECKS).status_code == 403
    assert client.get(page_of(checked)).status_code == 403
    assert "Found by" not in client.get(f"{LIST}{damaged.pk}/change/").text


def test_the_filter_goes_together_with_others(show, damaged):
    checked = check()

    assert rows(show(check=checked.pk, state="finished")) == ids(damaged)
    assert rows(show(check=checked.pk, state="open")) == []
    assert "findings of check" in show(check=checked.pk)
    assert ">not repaired</a>" in show()


@pytest.mark.parametrize("value", ["x", "-1", "0", "9" * 18, "9" * 30, "²"])
def test_a_check_that_does_not_exist_is_no_fault(client, boss, value, damaged):
    check()

    assert client.get(LIST, {"check": value}, follow=True).status_code == 200


def test_very_many_concerned_are_found_too(show, monkeypatch):
    monkeypatch.setattr("deliverystore.models.check._FEW", 2)
    deliveries = hand_in(5)
    for delivery in deliveries[1:]:
        falsify(delivery.files.get())
    checked = check()

    assert rows(show(check=checked.pk)) == ids(*reversed(deliveries[1:]))


# -- The pages of checks -----------------------------------------------------------


def test_the_list_of_checks_shows_the_newest_first(show, damaged):
    complete, stopped = check(), check(max_bytes=1)
    text = show(CHECKS)

    order = re.findall(r'href="/admin/deliverystore/check/(\d+)/change/', text)
    assert order == ids(stopped, complete)
    assert "stopped at its limit, at: files" in text
    assert "1 finding" in text


def test_a_check_shows_what_was_looked_at_and_each_finding(show, damaged):
    lay("0/0/7/777", b"whose?")
    checked = check()
    text = show(page_of(checked))
    file = damaged.files.get()

    assert f'{LIST}{damaged.pk}/change/#file-{file.pk}">{damaged.pk}</a>' in text
    for word in ("wrong digest", "stray", "0/0/7/777", "2 findings", "3 (33\xa0bytes"):
        assert word in text


def test_a_finding_names_who_handed_it_in(show, damaged, boss):
    Delivery.objects.filter(pk=damaged.pk).update(delivered_by=boss)

    assert f"{damaged.pk} , {boss}" in words(show(page_of(check())))


def test_a_check_says_what_to_do_about_what_is_not_repaired(show, damaged):
    lay("0/0/7/777", b"whose?")
    checked = check()
    text = words(show(page_of(checked)))

    assert "wrong digest other bytes than handed in; restore it: manage.py" in text
    assert "manage.py check_deliveries --repair --last --quarantine-to ALIAS" in text
    checked.findings.get(kind="stray").note(Finding.Repaired.QUARANTINED)
    assert "--quarantine-to" not in show(page_of(checked))


def test_a_delivery_says_what_the_last_checks_found_in_it(show, damaged):
    checked = check()
    page = f"{LIST}{damaged.pk}/change/"
    text = show(page)

    assert re.search(rf"Found by {checked} on .+: wrong digest\. ", words(text))
    assert f'<a href="{page_of(checked)}">What to do</a>' in text
    checked.findings.get().note(Finding.Repaired.RESTORED)
    assert "Found by" not in show(page)


def test_a_delivery_without_damage_says_nothing_of_checks(show, damaged):
    check()

    assert "Found by" not in show(f"{LIST}{damaged.pk - 1}/change/")


def test_a_delivery_that_is_gone_has_no_link(show, damaged):
    checked = check()
    damaged.delete()
    text = show(page_of(checked))

    assert f"{LIST}{damaged.pk}/change/" not in text
    assert re.search(rf'data-label="Delivery">{damaged.pk}</td>', text)


def test_what_is_repaired_is_marked(show, damaged):
    checked = check()
    checked.findings.get().note(Finding.Repaired.RESTORED)

    text = show(page_of(checked))
    assert 'data-label="Repaired">restored</td>' in text
    assert "1 finding, 1 repaired" in text


def test_names_are_shown_and_not_interpreted(show):
    lay("0/0/7/<b>7")
    text = show(page_of(check()))

    assert "&lt;b&gt;7" in text
    assert "<b>7" not in text


def test_findings_come_in_pages(show, client, boss):
    checked = Check.objects.create(finished=timezone.now(), ending="complete")
    found = [
        Finding(found_in=checked, kind="stray", name=f"name-{number:03}")
        for number in range(FINDINGS_PER_PAGE + 3)
    ]
    Finding.objects.bulk_create(found)
    Check.objects.filter(pk=checked.pk).update(found=len(found))

    first, second = show(page_of(checked)), show(page_of(checked), page=2)
    assert first.count("name-") == FINDINGS_PER_PAGE
    assert "1 to 100 of 103" in first
    assert re.findall(r"name-\d+", second) == ["name-100", "name-101", "name-102"]


def test_nobody_adds_changes_or_deletes_checks(client, boss, damaged):
    checked = check()

    for url in (f"{CHECKS}add/", f"{CHECKS}{checked.pk}/delete/"):
        assert client.get(url).status_code == 403
    assert client.post(page_of(checked), {"found": 0}).status_code == 403


def test_who_may_view_checks_alone_sees_no_links_to_deliveries(client, staff, damaged):
    checked = check()
    user = staff()
    user.user_permissions.add(Permission.objects.get(codename="view_check"))
    client.force_login(user)
    text = client.get(page_of(checked)).text

    assert "wrong digest" in text
    assert f"{LIST}{damaged.pk}" not in text


def queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(client, boss, damaged):
    checked = check()
    urls = [LIST, f"{LIST}?check={checked.pk}", CHECKS, page_of(checked)]
    few = [queries(client, url) for url in urls]

    for delivery in hand_in(30):
        falsify(delivery.files.get())
    Check.objects.filter(pk=checked.pk).update(
        started=timezone.now() - timedelta(days=1)
    )
    open_delivery()
    checked = check(restart=True)
    urls = [LIST, f"{LIST}?check={checked.pk}", CHECKS, page_of(checked)]
    assert [queries(client, url) for url in urls] == few


def test_a_page_on_which_nothing_is_ever_changed_offers_no_history(show):
    hand_in(1)

    assert "/history/" not in show(page_of(check()))
