"""What comes from files, cut for display: nothing acts, and half a text can be read."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from deliverystore.admin.datacenter.keyset import page_of, place
from deliverystore.admin.datacenter.shortened import loaded, shown

HALVES = "".join(map(chr, range(0xD800, 0xE000)))
texts = st.text(st.characters())


@given(texts)
def test_what_is_shown_can_be_sent_and_has_no_control(text):
    found = shown(text, 20)

    assert len(found) <= 21
    found.encode()
    assert not any(one < " " or one in "\u202e\u2066" for one in found)


def test_a_text_that_fits_is_shown_whole():
    assert shown("Müller, 12 €", 12) == "Müller, 12 €"
    assert shown("Müller, 12 €", 3) == "Mül…"
    assert shown("a\nb") == "a␊b"


@given(st.lists(texts, max_size=5), st.integers(1, 200))
def test_the_beginning_of_cells_is_read_from_the_beginning_of_json(cells, size):
    found = loaded(json.dumps(cells)[:size])

    *whole, last = found or [""]
    assert whole == cells[: len(whole)]
    if found:
        # Half a character may be left of one that is two in JSON.
        begun = last.removesuffix("…").rstrip(HALVES)
        assert last == cells[len(whole)] or cells[len(whole)].startswith(begun)


@given(
    st.lists(st.fixed_dictionaries({"code": texts, "message": texts}), max_size=3),
    st.integers(1, 200),
)
def test_the_beginning_of_errors_is_read_from_the_beginning_of_json(errors, size):
    found = loaded(json.dumps(errors)[:size])

    assert isinstance(found, list)
    assert found[:-1] == errors[: max(0, len(found) - 1)]
    assert all(isinstance(one, dict) for one in found)


@given(st.integers(0, 30), st.integers(1, 7))
def test_pages_lead_through_all_rows_forth_and_back(count, size):
    def read(limit, at, is_back):
        numbers = range(count)
        if is_back:
            return [n for n in reversed(numbers) if n < at[0]][:limit]
        return [n for n in numbers if at is None or n > at[0]][:limit]

    def page(**at):
        return page_of(read, lambda n: (n,), size=size, **at)

    seen, current = [], page()
    pages = [current]
    while current.next:
        current = page(after=place(current.next.removeprefix("after="), 1))
        pages.append(current)
    for one in pages:
        seen += one.rows
    assert seen == list(range(count))

    while current.previous:
        current = page(before=place(current.previous.removeprefix("before="), 1))
        pages.pop()
        assert current.rows == pages[-1].rows
    assert len(pages) == 1
