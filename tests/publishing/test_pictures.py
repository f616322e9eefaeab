"""Pictures: sizes, the right way up, and nothing that the camera noted."""

from __future__ import annotations

import io
import re
import sys
import warnings

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from deliverystore.publishing import PictureProcessor, public_store, publish, work
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db

ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F
SECRETS = (b"SecretCam", b"xap/1.0", b"my garden", b"Exif")


class Photos(PictureProcessor):
    sizes = {"medium": 400, "thumbnail": 100}


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def halves(width=800, height=400, mode="RGB"):
    """Return a picture that is red at its left, and blue at its right."""
    picture = Image.new(mode, (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    return picture


def photo(orientation=1):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKE] = "SecretCam"
    exif.get_ifd(GPS).update(
        {1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0)}
    )
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">xap/1.0 48.2085,16.3721</x:xmpmeta>'
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return saved(
        *(halves(), "JPEG"),
        exif=exif,
        xmp=xmp,
        comment=b"my garden",
        icc_profile=profile,
    )


@pytest.fixture
def made(db, media, processor):
    """Return a function that publishes a picture, and returns the publication."""
    processor(Photos)

    def made(content, name="photo.jpg"):
        file = finished_delivery(files=[(name, content)]).files.get()
        return work(publish(file, processor="picture", enqueue=False))

    return made


def result(publication, keyname="medium"):
    assert publication.state == "processed", publication.error
    one = publication.filemeta.published_files.public().get(keyname=keyname)
    with public_store.get_file(one.filepath) as file:
        return file.read()


def opened(publication, keyname="medium"):
    picture = Image.open(io.BytesIO(result(publication, keyname)))
    picture.load()
    return picture


def colour(picture, x, y):
    """Say which of the colours is strongest at a point, in parts of the whole."""
    point = (int(x * picture.width), int(y * picture.height))
    red, _green, blue = picture.convert("RGB").getpixel(point)
    return "red" if red > blue else "blue"


def test_a_photo_is_published_in_its_sizes(made):
    publication = made(photo())

    assert opened(publication).size == (400, 200)
    assert opened(publication, "thumbnail").size == (100, 50)
    assert publication.filemeta.published_files.count() == 2


def test_a_small_picture_is_not_blown_up(made):
    assert opened(made(saved(halves(60, 30), "PNG"), "a.png")).size == (60, 30)


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [
        (1, (400, 200), (0.1, 0.5)),
        (3, (400, 200), (0.9, 0.5)),
        (6, (200, 400), (0.5, 0.1)),
        (8, (200, 400), (0.5, 0.9)),
    ],
)
def test_a_photo_is_turned_the_right_way_up(made, orientation, size, red):
    for keyname in ("medium", "thumbnail"):
        picture = opened(made(photo(orientation)), keyname)
        assert colour(picture, *red) == "red"
        assert colour(picture, 1 - red[0], 1 - red[1]) == "blue"
        if keyname == "medium":
            assert picture.size == size
        assert ORIENTATION not in picture.getexif()


def test_nothing_of_what_the_camera_noted_is_published(made):
    content = photo(6)
    assert all(secret in content for secret in SECRETS)

    publication = made(content)

    for keyname in ("medium", "thumbnail"):
        found = result(publication, keyname)
        assert [secret for secret in SECRETS if secret in found] == []
        assert dict(opened(publication, keyname).getexif()) == {}


@pytest.mark.parametrize(
    ("kind", "name", "mode"),
    [
        *(("JPEG", "a.jpg", "RGB"), ("PNG", "a.png", "RGB"), ("PNG", "a.png", "RGBA")),
        *(("WEBP", "a.webp", "RGB"), ("WEBP", "a.webp", "RGBA")),
    ],
)
def test_notes_of_every_format_are_left_out(made, kind, name, mode):
    exif = Image.Exif()
    exif[MAKE] = "SecretCam"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 12.0, 30.0)})
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SecretXmp</x:xmpmeta>'
    colour = (255, 0, 0, 99)[: len(mode)]
    content = saved(Image.new(mode, (500, 400), colour), kind, exif=exif, xmp=xmp)
    if kind == "JPEG":
        iptc = b"\x1c\x02\x5a\x00\x0aSecretCity"
        note = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0f" + iptc + b"\0"
        size = (len(note) + 2).to_bytes(2)
        content = content[:2] + b"\xff\xed" + size + note + content[2:]
    assert b"SecretCam" in content

    publication = made(content, name)

    for keyname in ("medium", "thumbnail"):
        found = result(publication, keyname)
        for secret in (b"Secret", b"Exif", b"eXIf", b"xmp", b"8BIM"):
            assert secret not in found


@pytest.mark.parametrize(("byte", "value"), [(11, 0), (37, 1), (37, 2), (57, 10)])
def test_damaged_notes_are_no_damaged_picture(made, byte, value):
    """Each is the type of a note, and one that its value has not got."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[0x011A] = 6, "cam", 72.0
    exif.get_ifd(GPS)[2] = (48.0, 12.0, 30.0)
    notes = bytearray(exif.tobytes())
    notes[6 + byte] = value

    picture = opened(made(saved(halves(), "JPEG", exif=bytes(notes))))

    assert picture.size in {(400, 200), (200, 400)}


def test_colours_of_another_profile_become_those_of_the_web(made):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    profile = re.sub(b"[rb]XYZ", lambda found: swapped[found[0]], profile)

    photo = saved(halves(), "JPEG", icc_profile=profile)
    assert colour(opened(made(photo)), 0.1, 0.5) == "blue"
    damaged = saved(halves(), "JPEG", icc_profile=profile[:200])
    assert colour(opened(made(damaged)), 0.1, 0.5) == "red"


def test_grey_of_16_bits_stays_grey(made):
    grey = Image.new("I;16", (200, 100), 128 * 257)

    found = opened(made(saved(grey, "PNG"), "scan.png"))

    assert found.convert("L").getpixel((100, 50)) == pytest.approx(128, abs=1)


def test_a_picture_with_a_palette_is_made_smaller_smoothly(made):
    stripes = Image.new("P", (800, 800))
    stripes.putpalette([0, 0, 0, 255, 255, 255])
    for x in range(0, 800, 2):
        stripes.paste(1, (x, 0, x + 1, 800))

    found = opened(made(saved(stripes, "GIF"), "stripes.gif"))

    darkest, brightest = found.convert("L").getextrema()
    assert darkest > 90
    assert brightest < 165


def test_a_picture_through_which_nothing_is_seen_is_a_photo(made):
    publication = made(saved(halves(mode="RGBA"), "PNG"), "screenshot.png")

    assert opened(publication).format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("GIF", "a.gif"), ("WEBP", "a.webp"), ("PNG", "a.png"), ("MPO", "a.jpg")],
)
def test_of_several_pictures_in_a_file_the_first_is_published(made, kind, name):
    others = [Image.new("RGB", (800, 400), "blue")] * 2
    content = saved(halves(), kind, save_all=True, append_images=others)

    assert colour(opened(made(content, name)), 0.1, 0.5) == "red"


def test_the_original_keeps_what_it_has(made):
    publication = made(photo(6))

    assert b"SecretCam" in publication.filemeta.get_all_data_as_string()


def test_notes_in_a_png_are_left_out_and_transparency_stays(made):
    notes = PngInfo()
    notes.add_text("Comment", "my garden")
    picture = Image.new("RGBA", (80, 40), (255, 0, 0, 0))
    publication = made(saved(picture, "PNG", pnginfo=notes), "drawing.png")

    assert b"my garden" not in result(publication)
    assert opened(publication).mode == "RGBA"
    assert opened(publication).getpixel((5, 5))[3] == 0


@pytest.mark.parametrize(
    ("mode", "kind", "name"),
    [
        *(("P", "GIF", "a.gif"), ("RGB", "WEBP", "a.webp"), ("CMYK", "JPEG", "a.jpg")),
        *(("L", "PNG", "a.png"), ("1", "PNG", "a.png"), ("I;16", "PNG", "a.png")),
    ],
)
def test_pictures_of_every_kind_become_ones_that_browsers_show(made, mode, kind, name):
    picture = Image.new(mode, (200, 100)) if mode == "I;16" else halves(200, 100)
    picture = picture if picture.mode == mode else picture.convert(mode)

    assert opened(made(saved(picture, kind), name)).size == (200, 100)


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(
    made, monkeypatch
):
    monkeypatch.setattr(Photos, "max_pixels", 1_000_000)
    monkeypatch.setattr(Image.Image, "thumbnail", None)
    bomb = saved(Image.new("1", (2000, 2000)), "PNG")
    assert len(bomb) < 2000

    publication = made(bomb, "bomb.png")

    assert publication.error_class == "ProcessingFailed"
    assert publication.error == (
        "The picture has too many pixels; at most 1,000,000 are published."
    )
    assert publication.error_metadata == {"width": 2000, "height": 2000}


@pytest.mark.parametrize(
    ("limit", "told"), [(64_000_000, "at most 2,000 are"), (1500, "at most 1,500 are")]
)
def test_what_pillow_takes_for_a_bomb_is_refused_in_the_same_words(
    made, monkeypatch, limit, told
):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setattr(Photos, "max_pixels", limit)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        publication = made(saved(halves(), "PNG"), "bomb.png")

    error = f"The picture has too many pixels; {told} published."
    assert publication.error == error


@pytest.mark.parametrize(
    "content",
    [b"no picture", photo()[:2000], b"GIF89a" + bytes(10), b"%!PS-Adobe"],
)
def test_what_is_no_picture_says_so_without_a_path_of_the_server(
    made, settings, content
):
    publication = made(content)

    assert publication.error.startswith("It cannot be read as a picture")
    assert list(publication.filemeta.published_files.all()) == []
    benches = str(settings.DELIVERY_STORE_WORKBENCH_ROOT)
    assert benches not in str(publication.error_metadata)


def test_an_empty_file_is_said_to_be_empty(made):
    assert made(b"").error == "The file is empty."


def test_another_format_under_a_known_name_is_not_tried(made):
    publication = made(saved(halves(), "TIFF"), "tiff.jpg")

    assert publication.error_class == "ProcessingFailed"


def test_without_pillow_the_extra_is_named(made, monkeypatch):
    content = photo()
    monkeypatch.delattr("deliverystore.publishing.pillow", raising=False)
    monkeypatch.delitem(sys.modules, "deliverystore.publishing.pillow", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)

    publication = made(content)

    assert publication.error_class == "MissingExtra"
    assert "deliverystore[images]" in publication.error


def test_other_files_are_not_taken(db):
    files = finished_delivery(files=[("a.svg", b"<svg/>"), ("b.JPG", b"")]).files.all()

    assert [Photos().is_eligible(one) for one in files] == [False, True]
