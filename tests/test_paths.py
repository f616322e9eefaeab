"""Rules for names: examples that people know, and properties of all names."""

from __future__ import annotations

import time
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deliverystore import paths
from deliverystore.exceptions import InvalidName

NAMES = st.text(max_size=300)


def cleaned(filename):
    try:
        return paths.clean_filename(filename)
    except InvalidName:
        return None


class TestCleanFilename:
    @pytest.mark.parametrize(
        "filename",
        [
            "essay.txt",
            "mein Aufsatz (2. Fassung).pdf",
            "作业.docx",
            "Übung.txt",
            "واجب.pdf",
            "👩\u200d🎓.png",
            ".profile",
            "...",
            "a" * 255,
            "ä" * 255,
            "NUL",
            "a:b*c?.txt",
            "-rf",
        ],
    )
    def test_a_plain_name_stays_as_it_is(self, filename):
        assert paths.clean_filename(filename) == filename

    def test_a_name_gets_its_composed_form(self):
        assert paths.clean_filename("U\u0308bung.txt") == "\u00dcbung.txt"

    @pytest.mark.parametrize(
        ("filename", "message"),
        [
            ("", "is no filename"),
            ("  ", "is no filename"),
            (".", "is no filename"),
            ("..", "is no filename"),
            ("a/b.txt", "names a folder"),
            ("/etc/passwd", "names a folder"),
            ("C:\\essay.txt", "names a folder"),
            ("..\\..\\essay.txt", "names a folder"),
            ("a\0.txt", r"U\+0000"),
            ("a\nb.txt", r"U\+000A"),
            ("a\x7f.txt", r"U\+007F"),
            ("essay\u202etxt.exe", r"U\+202E"),
            ("a\u2028b", r"U\+2028"),
            ("a\ud800b", r"U\+D800"),
            ("a" * 256, "has 256 characters; at most 255"),
        ],
    )
    def test_another_name_is_refused_with_the_reason(self, filename, message):
        with pytest.raises(InvalidName, match=message):
            paths.clean_filename(filename)

    def test_the_refusal_is_an_error_that_django_answers_with_400(self):
        from django.core.exceptions import SuspiciousOperation

        assert issubclass(InvalidName, SuspiciousOperation)
        assert issubclass(InvalidName, ValueError)

    @given(NAMES)
    def test_what_comes_out_can_go_in_again(self, filename):
        name = cleaned(filename)
        if name is not None:
            assert paths.clean_filename(name) == name

    @given(NAMES)
    def test_what_comes_out_is_one_part_that_can_be_stored_and_shown(self, filename):
        name = cleaned(filename)
        if name is not None:
            assert name.strip()
            assert PurePosixPath(name).name == name
            assert 1 <= len(name) <= 255
            assert name.encode().decode() == name
            assert name.isprintable() or not any(
                unicodedata.category(c) == "Cc" for c in name
            )


class TestNameKey:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Essay.TXT", "essay.txt"),
            ("U\u0308bung", "\u00fcbung"),
            ("STRASSE", "straße"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("\u1e9e", "ss"),
            ("\u0390", "\u03b9\u0308\u0301"),
        ],
    )
    def test_names_that_a_person_takes_for_one_share_it(self, one, other):
        assert paths.name_key(one) == paths.name_key(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("essay", "essays"), ("Übung", "Ubung"), ("a b", "ab"), ("1", "①")],
    )
    def test_other_names_do_not(self, one, other):
        assert paths.name_key(one) != paths.name_key(other)

    @given(NAMES)
    @example("\u0345\u0301")
    def test_neither_its_form_nor_its_case_matters(self, name):
        key = paths.name_key(name)

        for form in ("NFC", "NFD"):
            assert paths.name_key(unicodedata.normalize(form, name)) == key
        decomposed = unicodedata.normalize("NFD", name)
        assert paths.name_key(decomposed.casefold()) == key
        assert paths.name_key(key) == key

    @given(NAMES)
    @example("\u0390" * 255)
    @example("\ufb03" * 255)
    @example("\u1f82" * 255)
    def test_it_fits_into_its_column(self, filename):
        name = cleaned(filename)
        if name is not None:
            assert len(paths.name_key(name)) <= 3 * paths.MAX_FILENAME_LENGTH


class TestCleanName:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("a", "a"),
            ("a/b.txt", "a/b.txt"),
            ("a//b/", "a/b"),
            ("./a/./b", "a/b"),
            ("a\\b", "a/b"),
            ("a..b/c...", "a..b/c..."),
            ("2/1/2001000/7", "2/1/2001000/7"),
        ],
    )
    def test_a_name_loses_its_detours(self, name, expected):
        assert paths.clean_name(name) == expected

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("", "is no name"),
            (".", "is no name"),
            ("a\0b", "is no name"),
            ("..", "leaves the folder"),
            ("a/../b", "leaves the folder"),
            ("a\\..\\..\\b", "leaves the folder"),
            ("/a", "leaves the folder"),
            ("\\a", "leaves the folder"),
            ("//server/share", "leaves the folder"),
            (".deliverystore-01", "reserved"),
            ("a/.deliverystore-/b", "reserved"),
        ],
    )
    def test_another_name_is_refused_with_the_reason(self, name, message):
        with pytest.raises(InvalidName, match=message):
            paths.clean_name(name)

    @given(st.text(alphabet="./\\ab\0-") | st.text())
    def test_what_comes_out_stays_inside_and_can_go_in_again(self, name):
        try:
            clean = paths.clean_name(name)
        except InvalidName:
            return
        assert paths.clean_name(clean) == clean
        assert not clean.startswith("/")
        assert not {"", ".", ".."} & set(clean.split("/"))

    @pytest.mark.parametrize("name", ["", ".", "./"])
    def test_a_folder_can_be_the_root(self, name):
        assert paths.clean_folder(name) == ""

    @pytest.mark.parametrize("name", ["..", "/", "a/..", "\0"])
    def test_a_folder_cannot_be_outside(self, name):
        with pytest.raises(InvalidName):
            paths.clean_folder(name)

    def test_a_folder_is_cleaned_like_a_name(self):
        assert paths.clean_folder("a//b/") == "a/b"


class TestExtension:
    @pytest.mark.parametrize(
        ("filename", "extension"),
        [
            ("essay.txt", ".txt"),
            ("ESSAY.TXT", ".txt"),
            ("archive.tar.gz", ".gz"),
            ("essay.pdf.exe", ".exe"),
            ("README", ""),
            ("ends with a dot.", ""),
            (".txt", ".txt"),
            ("essay.ÄÖ", ".äö"),
        ],
    )
    def test_it_is_the_last_one_in_lower_case(self, filename, extension):
        assert paths.extension(filename) == extension


class TestUniqueFilenames:
    def test_a_name_that_came_before_gets_a_number(self):
        names = ["essay.txt", "ESSAY.txt", "other.txt", "essay.txt", "essay"]

        assert list(paths.unique_filenames(names)) == [
            "essay.txt",
            "ESSAY (2).txt",
            "other.txt",
            "essay (3).txt",
            "essay",
        ]

    def test_a_number_that_is_taken_is_skipped(self):
        names = ["a.txt", "a (2).txt", "a.txt", "a (2).txt"]

        assert list(paths.unique_filenames(names)) == [
            "a.txt",
            "a (2).txt",
            "a (3).txt",
            "a (2) (2).txt",
        ]

    @given(st.lists(st.sampled_from(["a", "A", "a (2)", "a.b", "A.B", "ß", "SS"])))
    def test_no_two_are_the_same_for_a_person(self, names):
        unique = list(paths.unique_filenames(names))

        assert len(unique) == len(names)
        assert len({paths.name_key(name) for name in unique}) == len(names)
        assert all(
            PurePosixPath(n).suffix == PurePosixPath(m).suffix
            for n, m in zip(names, unique, strict=True)
        )

    def test_ten_thousand_equal_names_are_no_matter(self):
        start = time.process_time()
        assert len(set(paths.unique_filenames(["essay.txt"] * 10_000))) == 10_000
        assert time.process_time() - start < 5


class TestPortableFilename:
    @pytest.mark.parametrize(
        ("filename", "portable"),
        [
            ("essay.txt", "essay.txt"),
            ("作业.docx", "作业.docx"),
            ("a:b*c?.txt", "a_b_c_.txt"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("console.txt", "console.txt"),
            ("essay. ", "essay"),
            ("...", "_"),
        ],
    )
    def test_what_some_system_refuses_is_replaced(self, filename, portable):
        assert paths.portable_filename(filename) == portable

    @given(NAMES)
    @example("a" * 239 + ". b")
    @example("ä" * 300)
    @example("." * 300)
    @example("a." + "b" * 300)
    def test_it_is_one_part_of_at_most_240_bytes(self, filename):
        name = paths.portable_filename(filename)

        assert 1 <= len(name.encode()) <= 240
        assert PurePosixPath(name).name == name
        assert not name.endswith((".", " "))
        assert paths.portable_filename(name) == name


class TestLastPart:
    @pytest.mark.parametrize(
        "path", ["a.txt", "x/a.txt", "/etc/a.txt", "../../a.txt", "x//a.txt"]
    )
    def test_folders_are_left_out(self, path):
        assert paths.last_part(path) == "a.txt"

    @pytest.mark.parametrize("path", ["", "/", "a/", ".", "x/..", "a\0b"])
    def test_what_ends_in_no_filename_is_refused(self, path):
        with pytest.raises(InvalidName, match="ends in no filename"):
            paths.last_part(path)

    @given(NAMES)
    def test_the_result_stays_in_its_folder(self, path):
        try:
            name = paths.last_part(path)
        except InvalidName:
            return
        assert PurePosixPath("/folder", name).parent == PurePosixPath("/folder")
        assert paths.last_part(name) == name
