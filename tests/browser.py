"""A real browser for tests marked browser."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

# Of a picture in the documentation, in bytes.
MAX_PICTURE = 150_000
# It reaches nothing but the test server, and does not try.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


@dataclass(frozen=True)
class Screen:
    """What somebody sits at."""

    width: int
    scheme: str
    has_script: bool = True

    def __str__(self):
        script = "" if self.has_script else ", no JavaScript"
        return f"{self.width} {self.scheme}{script}"


DESK = Screen(1280, "light")
PHONE = Screen(390, "dark")
BARE_DESK = Screen(1280, "dark", has_script=False)
BARE_PHONE = Screen(390, "light", has_script=False)


def screens(*chosen):
    """Run a test once for each screen; all but the first take part in long runs."""
    first, *others = chosen
    long = [pytest.param(one, marks=pytest.mark.long) for one in others]
    return pytest.mark.parametrize("screen", [first, *long], ids=str)


@pytest.fixture
def screen():
    """Where a test does not choose."""
    return DESK


def assert_fits(page):
    """Fail if a page must be scrolled sideways, at a desk or on a phone."""
    for one in (DESK, PHONE):
        page.set_viewport_size({"width": one.width, "height": 844})
        found = page.evaluate("document.documentElement.scrollWidth")
        assert found <= one.width, (page.url, one.width)


@pytest.fixture(scope="module")
def browser():
    """Start Chromium, once for the tests of a module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright's loop runs in this thread, where the ORM is used all the same.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, screen):
    """Return a new page without cookies; an error in its scripts fails the test."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": 900},
        color_scheme=screen.scheme,
        java_script_enabled=screen.has_script,
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


def photograph(page, name, *, end):
    """Save a page as a picture, down to an element, if DELIVERYSTORE_PICTURES is set.

    It names the folder for the pictures of the documentation.
    """
    if not (folder := os.environ.get("DELIVERYSTORE_PICTURES")):
        return
    from PIL import Image

    page.evaluate("document.activeElement?.blur()")
    box = page.locator(end).last.bounding_box()
    size = page.viewport_size
    bottom = box["y"] + box["height"] + page.evaluate("window.scrollY") + 16
    clip = {"x": 0, "y": 0, "width": size["width"], "height": bottom}
    path = Path(folder) / f"{name}.png"
    page.screenshot(path=path, full_page=True, clip=clip)
    with Image.open(path) as image:
        # Pages have few colours; those of photos are mixed of them.
        picture = image.convert("RGB")
        picture.quantize(palette=picture.quantize(256)).save(path, optimize=True)
    assert path.stat().st_size < MAX_PICTURE, path
