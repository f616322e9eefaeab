"""Publishing: from a file that was handed in to what visitors see."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from deliverystore.exceptions import (
    DeliveryNotFinished,
    NotPermitted,
    ProcessingFailed,
    ProcessorNotFound,
    PublishingRefused,
    RunBusy,
)
from deliverystore.models import FileMeta, Publication, PublishedFile, leases
from deliverystore.publishing import (
    MediaProcessor,
    left,
    public_store,
    publish,
    sweep,
    tasks,
    unpublish,
    work,
)
from tests.factories import UserFactory, finished_delivery, open_delivery
from tests.publishing.media import (
    Killed,
    UpperProcessor,
    expire,
    files_in,
    public,
    recorded,
)

pytestmark = pytest.mark.django_db


def start(file, **options):
    return publish(file, enqueue=False, **options)


def done(file, **options):
    return work(start(file, **options))


def let_time_pass(**length):
    for one in PublishedFile.objects.all():
        one.added -= timedelta(**length)
        if one.remove_after:
            one.remove_after -= timedelta(**length)
        one.save()


def using(processor, process, name="own"):
    """Register a processor that does this."""

    class Own(MediaProcessor):
        def is_eligible(self, filemeta):
            return True

    Own.name = name
    Own.process = lambda self, job: process(job)
    return processor(Own)


def write(job, name="result.txt", text="result"):
    path = job.workbench.joinpath(name)
    path.write_text(text)
    return path


# -- What is published ---------------------------------------------------------------


def test_what_a_processor_makes_is_public(file, media):
    publication = done(file)

    assert (publication.state, publication.progress) == ("processed", 1.0)
    assert public(file) == {"upper": "HELLO", "length": "5"}
    upper = file.published_files.get(keyname="upper")
    assert upper.size == 5
    assert upper.digest.startswith("sha256:3733cd97")
    assert upper.url.startswith("/media/published/")
    assert files_in(media) == recorded()


def test_a_worker_does_it_once_it_is_committed(
    file, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert publish(file).state == "unprocessed"

    assert public(file)["upper"] == "HELLO"


def test_its_address_is_made_of_ids_and_cannot_be_guessed(file):
    done(file)

    folder, thousand, name = file.published_files.get(keyname="upper").filepath
    assert (folder, thousand) == ("published", str(file.pk // 1000))
    pk, key, token = name.removesuffix(".txt").split("-")
    assert (pk, key, len(token)) == (str(file.pk), "upper", 24)
    assert "hello" not in name


def test_a_long_name_of_a_key_in_any_script_leaves_the_address_its_random_part(
    file, processor
):
    names = ["照" * 100, "😀" * 100, "é" * 100, "x" * 100]

    def many(job):
        for name in names:
            job.publish(name, write(job))

    using(processor, many)

    assert done(file).state == "processed"
    for one in file.published_files.public():
        token = one.filepath[-1].removesuffix(".txt").rpartition("-")[2]
        assert len(token) == 24
        assert int(token, 16)
    assert [one.keyname for one in file.published_files.public()] == names


def test_the_workbench_is_gone_afterwards(file, tmp_path):
    done(file)

    assert list((tmp_path / "benches").iterdir()) == []


def test_a_processor_that_writes_to_its_source_damages_nothing(file, processor):
    def vandal(job):
        job.source.chmod(0o777)
        job.source.write_text("damaged")
        job.publish("copy", job.source)
        job.source.unlink()

    using(processor, vandal)

    assert done(file).state == "processed"
    assert file.verify() == "intact"
    assert public(file) == {"copy": "damaged"}


def test_the_source_keeps_its_extension_and_nothing_else_of_its_name(
    db, media, processor
):
    names = []
    using(processor, lambda job: names.append(job.source.name))
    files = [(name, b"x") for name in ("-rf *.JPG", "no extension", "a.b c")]
    for file in finished_delivery(files=files).files.all():
        done(file)

    assert names == ["source.jpg", "source", "source.b_c"]


def test_a_file_is_copied_once_for_a_job_and_not_at_all_if_it_is_only_read(
    file, processor, monkeypatch
):
    opened = []
    open_ = FileMeta.open
    monkeypatch.setattr(FileMeta, "open", lambda f: opened.append(1) or open_(f))

    def read(job):
        with job.open() as stream:
            assert stream.read() == b"hello"
        assert len(list(job.workbench.path.iterdir())) == 1  # its lease
        assert job.source == job.source

    using(processor, read)

    assert done(file).state == "processed"
    assert len(opened) == 2


def test_a_file_that_was_damaged_is_not_published(file):
    store = FileMeta.deliverystore
    with open(store.path(store.name_of(file)), "r+b") as bytes_:  # noqa: PTH123
        bytes_.write(b"HACKD")

    publication = done(file)

    assert (publication.state, publication.error_class) == ("failed", "FileDamaged")
    assert public(file) == {}


# -- What fails ----------------------------------------------------------------------


@pytest.fixture
def bad(db, media, processor):
    return finished_delivery(files=[("bad.txt", b"bad")]).files.get()


def test_what_failed_says_why_and_leaves_nothing_public(bad, media):
    publication = done(bad)

    assert publication.state == "failed"
    assert publication.error_class == "ProcessingFailed"
    assert publication.error == "There is nothing in it."
    assert publication.error_metadata == {"line": 3}
    assert files_in(media) == recorded() == set()


def test_what_failed_after_it_had_put_something_there_leaves_nothing(
    file, media, processor
):
    def late(job):
        placed = job.publish("first", write(job))
        assert public_store.file_exists(placed.filepath)
        assert public(file) == {}
        raise ZeroDivisionError("too late")

    using(processor, late)

    assert done(file).error == "too late"
    assert files_in(media) == recorded() == set()


def test_a_store_that_breaks_off_leaves_nothing(file, settings, media):
    options = settings.STORAGES["media"]["OPTIONS"]
    backend = "tests.publishing.media.Full"
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": backend, "OPTIONS": options},
    }

    publication = done(file)

    assert (publication.state, publication.error_class) == ("failed", "OSError")
    assert files_in(media) == recorded() == set()


def test_what_became_public_this_very_moment_is_not_swept(file, processor):
    def slow(job):
        one = job.publish("one", write(job))
        PublishedFile.objects.update(added=timezone.now() - timedelta(days=9))
        publication = Publication.objects.get()
        Publication.objects.update(lease_until=timezone.now() - timedelta(days=1))
        assert sweep() == 1
        Publication.objects.update(lease_until=publication.lease_until)
        assert not public_store.file_exists(one.filepath)

    using(processor, slow)
    publication = start(file)

    with pytest.raises(RunBusy, match="swept away"):
        work(publication)
    assert public(file) == {}


def test_what_failed_can_be_tried_again(file, processor):
    failing = using(processor, lambda job: 1 / 0)
    assert done(file).state == "failed"
    failing.process = lambda self, job: job.publish("good", write(job))

    publication = done(file)

    assert publication.state == "processed"
    assert (publication.error, publication.error_class) == ("", "")
    assert public(file) == {"good": "result"}


def test_a_name_of_a_key_can_be_published_once_in_a_job(file, processor):
    def twice(job):
        job.publish("one", write(job))
        job.publish("one", write(job))

    using(processor, twice)

    assert done(file).error_class == "PublishingRefused"


@pytest.mark.parametrize("keyname", ["", "..", "x" * 101, "a\0b", "\ud800"])
def test_a_name_of_a_key_must_be_one(file, processor, keyname):
    using(processor, lambda job: job.publish(keyname, write(job)))

    assert done(file).error_class == "PublishingRefused"


def test_what_a_link_leads_to_is_not_published(file, processor, media, tmp_path):
    """An archive that a processor unpacks may bring links along."""
    (tmp_path / "secret.txt").write_text("secret")

    def unpacked(job):
        link = job.workbench.joinpath("link.txt")
        link.symlink_to(tmp_path / "secret.txt")
        job.publish("unpacked", link)

    using(processor, unpacked)

    assert done(file).error_class == "OSError"
    assert files_in(media) == recorded() == set()


def test_a_pipe_is_not_waited_for(file, processor):
    def piped(job):
        os.mkfifo(job.workbench.joinpath("pipe"))
        job.publish("pipe", job.workbench.joinpath("pipe"))

    using(processor, piped)

    assert done(file).error_class == "OSError"


def test_what_an_error_knows_is_kept_as_far_as_json_can_hold_it(file, processor):
    known = {
        "at": timezone.now().date(),
        "what": {(1, 2): [math.nan, b"\xff"]},
        "text": "a\0b\ud800c",
        "many": {3},
        "number": 1.5,
        "deep": {},
    }
    known["deep"]["deep"] = known["deep"]

    def failing(job):
        raise ProcessingFailed("no", **known)

    using(processor, failing)

    found = done(file).error_metadata
    assert found.pop("deep")
    assert found == {
        "at": str(known["at"]),
        "what": {"(1, 2)": ["nan", r"b'\xff'"]},
        "text": "a\ufffdb\ufffdc",
        "many": [3],
        "number": 1.5,
    }


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(ValueError("a\0b\ud800c"), "a\ufffdb\ufffdc", id="no text"),
        pytest.param(ValueError("x" * 5_000_000), f"{'x' * 10_000}…", id="long"),
        pytest.param(Unspeakable(), "<Unspeakable>", id="unspeakable"),
        pytest.param(type("N" * 300, (Exception,), {})("x"), "x", id="long name"),
    ],
)
def test_an_error_of_any_kind_is_kept(file, processor, caplog, error, text):
    # What is no text, tests in parallel cannot hand on.
    caplog.set_level(logging.CRITICAL, "deliverystore.publishing")

    def failing(job):
        raise error

    using(processor, failing)
    publication = done(file)

    assert (publication.state, publication.error) == ("failed", text)
    assert publication.error_class == type(error).__name__[:200]


def test_a_processor_that_has_not_run_at_all_fails(file, processor):
    def generator(job):
        yield

    async def coroutine(job):
        pass

    done(file)
    for process in (generator, coroutine):
        using(processor, process)
        publication = done(file)
        assert publication.state == "failed"
        assert "without yield and async" in publication.error
    assert public(file) == {"upper": "HELLO", "length": "5"}


# -- Once more -----------------------------------------------------------------------


def test_what_is_made_anew_takes_the_place_of_the_old_when_it_is_there(
    file, media, processor
):
    done(file)
    old = list(file.published_files.public())
    seen = []

    def slow(job):
        job.publish("upper", write(job, text="new"))
        seen.append(public(file))

    using(processor, slow)
    done(file)

    assert seen == [{"upper": "HELLO", "length": "5"}]
    assert public(file) == {"upper": "new"}
    # Pages that were loaded before still find what they name.
    assert all(public_store.file_exists(one.filepath) for one in old)
    let_time_pass(days=2)
    assert sweep() == 2
    assert files_in(media) == recorded()
    assert len(recorded()) == 1


def test_what_fails_the_second_time_leaves_the_first_public(file, processor):
    done(file)
    using(processor, lambda job: 1 / 0)

    assert done(file).state == "failed"
    assert public(file) == {"upper": "HELLO", "length": "5"}


def test_what_is_taken_off_the_site_is_gone_at_once(
    file, media, django_capture_on_commit_callbacks
):
    done(file)

    with django_capture_on_commit_callbacks(execute=True):
        unpublish(file)

    assert public(file) == {}
    assert files_in(media) == recorded() == set()
    assert not Publication.objects.exists()
    assert done(file).state == "processed"


def test_a_deleted_delivery_takes_what_is_public_with_it(
    file, media, django_capture_on_commit_callbacks
):
    done(file)
    other = finished_delivery(files=[("other.txt", b"other")]).files.get()
    done(other)

    with django_capture_on_commit_callbacks(execute=True):
        file.delivery.delete()

    assert len(files_in(media)) == 2
    assert files_in(media) == recorded()
    assert public(other)["upper"] == "OTHER"


@pytest.mark.parametrize("gone", ["publication", "delivery"])
@pytest.mark.parametrize("end", ["returns", "publishes", "fails"])
def test_what_is_taken_off_while_a_worker_is_at_it_does_not_come_back(
    file, media, processor, gone, end
):
    def overtaken(job):
        job.publish("one", write(job))
        if gone == "delivery":
            FileMeta.objects.get(pk=file.pk).delivery.delete()
        else:
            unpublish(file)
        if end == "fails":
            raise ZeroDivisionError
        if end == "publishes":
            job.publish("two", write(job))

    using(processor, overtaken)
    publication = start(file)

    with pytest.raises(RunBusy):
        work(publication)

    assert files_in(media) == recorded() == set()


def test_a_file_that_was_deleted_is_not_published(file):
    FileMeta.objects.get(pk=file.pk).delivery.delete()

    with pytest.raises(PublishingRefused, match=f"File {file.pk} was deleted"):
        publish(file)


def test_what_is_written_when_its_file_is_deleted_goes_with_the_sweep(
    file, media, processor
):
    def deleting(job):
        job.publish("one", write(job))
        file.delivery.delete()
        raise Killed

    using(processor, deleting)
    with pytest.raises(Killed):
        done(file)

    # It could be alive, and write still.
    assert sweep() == 0
    assert files_in(media) == recorded()
    let_time_pass(days=2)
    assert sweep() == 1
    assert files_in(media) == recorded() == set()


def test_a_worker_that_was_taken_for_dead_takes_back_what_has_no_row_any_more(
    file, media, processor
):
    def frozen(job):
        job.publish("one", write(job))
        PublishedFile.objects.all().delete()
        raise ZeroDivisionError

    using(processor, frozen)
    done(file)

    assert files_in(media) == set()


@pytest.mark.parametrize("gone", ["publication", "delivery"])
def test_what_was_replaced_is_gone_at_once_with_what_is_public(
    file, media, django_capture_on_commit_callbacks, gone
):
    done(file)
    done(file)
    assert len(files_in(media)) == 4

    with django_capture_on_commit_callbacks(execute=True):
        if gone == "delivery":
            file.delivery.delete()
        else:
            unpublish(file)

    assert files_in(media) == set()
    let_time_pass(days=2)
    sweep()
    assert recorded() == set()


@pytest.mark.django_db(transaction=True)
def test_what_becomes_public_while_it_is_taken_off_is_taken_off(
    file, media, monkeypatch
):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite does not promise that several write at once")
    publication, in_the_middle = start(file), threading.Event()
    release = leases.Lease.release

    def released(lease, **values):
        is_mine = release(lease, **values)
        in_the_middle.set()
        time.sleep(0.5)
        return is_mine

    def at_work():
        work(publication)
        connection.close()

    monkeypatch.setattr(leases.Lease, "release", released)
    worker = threading.Thread(target=at_work)
    worker.start()
    assert in_the_middle.wait(10)

    unpublish(file)

    worker.join()
    assert public(file) == {}
    assert files_in(media) == set()


# -- Workers -------------------------------------------------------------------------


def test_a_killed_worker_s_job_is_taken_over(file, media, processor):
    def killed(job):
        job.publish("one", write(job))
        raise Killed

    own = using(processor, killed)
    publication = start(file)
    with pytest.raises(Killed):
        work(publication)
    assert files_in(media) == recorded()
    assert len(recorded()) == 1
    assert public(file) == {}
    assert list(left()) == []

    expire(publication)
    own.process = UpperProcessor.process

    assert list(left()) == [publication]
    tasks.run_publication.call(publication.pk)
    assert public(file) == {"upper": "HELLO", "length": "5"}
    let_time_pass(days=2)
    sweep()
    assert files_in(media) == recorded()
    assert len(recorded()) == 2


def test_a_file_that_has_killed_five_workers_is_left_alone(file, media, processor):
    def killed(job):
        job.publish("one", write(job))
        raise Killed

    own = using(processor, killed)
    publication = start(file)
    for _ in range(5):
        with pytest.raises(Killed):
            work(publication)
        expire(publication)
        publish(file, enqueue=False)

    assert work(publication).state == "failed"

    assert publication.error.startswith("5 workers were killed or ended while they")
    assert public(file) == {}
    assert files_in(media) == set()
    own.process = UpperProcessor.process
    again = work(publish(file, enqueue=False))
    assert (again.state, again.attempts) == ("processed", 1)


def test_a_worker_that_was_frozen_past_its_lease_publishes_nothing(
    file, media, processor
):
    def overtaken(job):
        job.publish("first", write(job))
        expire(publication)
        own.process = UpperProcessor.process
        assert work(Publication.objects.get()).state == "processed"
        job.publish("second", write(job))

    own = using(processor, overtaken)
    publication = start(file)
    with pytest.raises(RunBusy, match="taken over"):
        work(publication)

    assert public(file) == {"upper": "HELLO", "length": "5"}
    let_time_pass(days=2)
    sweep()
    assert files_in(media) == recorded()


def test_a_task_leaves_a_publication_to_the_worker_that_has_it(file):
    publication = start(file)
    leases.take(publication)

    tasks.run_publication.call(publication.pk)
    assert public(file) == {}
    with pytest.raises(RunBusy, match="A worker is at"):
        publish(file)


def test_a_task_of_what_was_taken_off_the_site_does_nothing(file):
    tasks.run_publication.call(12345)


def test_without_a_framework_a_publication_waits(
    file, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "run_publication", None)

    with django_capture_on_commit_callbacks(execute=True):
        publication = publish(file)

    assert list(left()) == [publication]


def test_a_publication_that_is_done_at_once_says_so(
    file, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        publication = publish(file)

    assert publication.state == "processed"


def test_a_publication_that_is_taken_off_at_once_is_no_error(
    file, processor, caplog, django_capture_on_commit_callbacks
):
    using(processor, lambda job: Publication.objects.get().delete())

    with django_capture_on_commit_callbacks(execute=True):
        publish(file)

    assert "Publication.DoesNotExist" not in caplog.text
    assert not Publication.objects.exists()


def test_progress_is_written_down_at_once_and_then_once_a_second(
    file, processor, monkeypatch
):
    seen = []

    def slow(job):
        job.progress(0.2)
        seen.append(Publication.objects.get().progress)
        job.progress(0.3)
        seen.append(Publication.objects.get().progress)
        monkeypatch.setattr("deliverystore.publishing.jobs._STEP", 0)
        time.sleep(0.001)
        job.progress(7)
        seen.append(Publication.objects.get().progress)

    using(processor, slow)
    told = []
    work(start(file), advance=told.append)

    assert seen == [0.2, 0.2, 1.0]
    assert told == [0.2, 0.3, 1.0]


@pytest.mark.django_db(transaction=True)
def test_of_eight_files_of_one_name_published_at_once_each_has_its_own_results(
    file, media
):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite does not promise that several write at once")
    contents = [f"hello {number}" for number in range(8)]
    files = [
        finished_delivery(files=[("photo.txt", text)]).files.get() for text in contents
    ]

    def do(one):
        try:
            return done(one).state
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        assert set(workers.map(do, files)) == {"processed"}

    assert [public(one)["upper"].lower() for one in files] == contents
    assert files_in(media) == recorded()
    assert len(recorded()) == 16


@pytest.mark.django_db(transaction=True)
def test_who_reads_while_it_is_made_anew_always_finds_the_whole_file(file, processor):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite does not promise that several write at once")
    versions = iter(range(1000))

    def one_of_many(job):
        text = f"{next(versions)} " * 10_000
        job.publish("text", write(job, text=text))

    using(processor, one_of_many)
    done(file)
    seen, is_over = set(), threading.Event()

    def read():
        try:
            while not is_over.is_set():
                text = public(file)["text"]
                assert len(set(text.split())) == 1
                assert len(text.split()) == 10_000
                seen.add(text)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as readers:
        reader = readers.submit(read)
        for _ in range(30):
            done(file)
            sweep()
        is_over.set()
        reader.result()

    assert len(seen) > 2


# -- Who may, and what cannot be ------------------------------------------------------


def test_only_who_may_publishes(file):
    user = UserFactory()

    for action in (publish, unpublish):
        with pytest.raises(NotPermitted, match="may not publish"):
            action(file, user)
    assert start(file, user=UserFactory(is_superuser=True)).user.is_superuser


def test_who_handed_a_file_in_may_not_publish_it(db, media, processor):
    user = UserFactory()
    file = finished_delivery(user=user).files.get()

    with pytest.raises(NotPermitted):
        publish(file, user)


def test_what_is_not_handed_in_yet_is_not_published(db, media, processor):
    with pytest.raises(DeliveryNotFinished):
        publish(open_delivery().files.get())


def test_a_file_that_no_processor_takes_is_refused(db, media, processor):
    file = finished_delivery(files=[("a.exe", b"x")]).files.get()

    with pytest.raises(PublishingRefused, match=r"Nobody publishes 'a\.exe'") as told:
        publish(file)
    assert "There are: upper." in str(told.value)
    assert "media_processors.py of an app in INSTALLED_APPS" in str(told.value)
    with pytest.raises(PublishingRefused, match="'upper' does not take"):
        publish(file, processor="upper")
    with pytest.raises(ProcessorNotFound, match="there are: upper"):
        publish(file, processor="lower")


def test_the_first_processor_that_takes_a_file_gets_it(file, processor):
    using(processor, lambda job: None, name="greedy")

    assert start(file).processor == "greedy"
    assert start(file, processor="upper").processor == "upper"
