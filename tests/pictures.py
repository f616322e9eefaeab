"""Take the pictures of the documentation, of what `make demo` leaves.

python -m tests.pictures
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image

from tests.browser import ARGUMENTS

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH, MAX_BYTES = 1280, 120 * 1024
PASSWORD = "only for pictures"
LET_IN = f"""
from django.contrib.auth.models import User
for user in User.objects.filter(username__in=["teacher", "registrar"]):
    user.set_password({PASSWORD!r})
    user.save()
"""
NEW = """matriculation no.,first_name,last_name,email,born_on,faculty,year
2610001,Amélie,Laurent,amelie.laurent@campus.example,2007-03-14,Science,1
2610002,Kofi,Mensah,kofi.mensah@campus.example,2006-11-02,Arts,1
2610003,Yuki,Tanaka,yuki.tanaka@campus.example,2007-07-21,Law,1
"""
FILES = "/admin/deliverystore/datafileinfo/"


def main() -> None:
    """Lay Campus into a temporary folder, serve it, and look at it."""
    with tempfile.TemporaryDirectory(prefix="deliverystore-pictures-") as folder:
        manage(folder, "demo", "--no-serve", "--big-file-mb", "1")
        manage(folder, "shell", "-c", LET_IN)
        (Path(folder) / "tables" / "autumn-2026.csv").write_text(NEW)
        port = free_port()
        command = arguments("runserver", "--noreload", str(port))
        with subprocess.Popen(command, env=environment(folder), cwd=ROOT) as server:
            try:
                take(f"http://127.0.0.1:{port}")
            finally:
                server.terminate()


def take(site: str) -> None:
    """Take each picture of a site that is about to be served."""
    from playwright.sync_api import Browser, Page, sync_playwright

    def picture(browser: Browser, name: str, user: str, *steps: str, end: str) -> None:
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(f"{site}/admin/login/?next=/admin/")
        page.get_by_label("Username").fill(user)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        for step in steps:
            go(page, step)
        save(page, name, end)
        page.close()

    def go(page: Page, step: str) -> None:
        """Open an address, or click on what is no address."""
        if step.startswith("/"):
            page.goto(site + step)
        else:
            page.locator(step).first.click()

    def save(page: Page, name: str, end: str) -> None:
        """Save a page from its top to the end of what matters."""
        box = page.locator(end).last.bounding_box()
        assert box is not None
        bottom = box["y"] + box["height"] + 16
        clip = {"x": 0.0, "y": 0.0, "width": float(WIDTH), "height": bottom}
        path = IMAGES / f"{name}.png"
        page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]
        with Image.open(path) as image:
            # Pages have few colours.
            image.convert("RGB").quantize(256).save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}: {size // 1024} KiB")  # noqa: T201
        assert size < MAX_BYTES, path

    wait_for(site)
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        delivery = "/admin/deliverystore/delivery/1/change/"
        picture(browser, "admin", "teacher", delivery, end="#files")
        last = ("/admin/deliverystore/importrun/", "#result_list tbody th a")
        picture(browser, "import", "registrar", *last, end="#failures")
        preview = f"{FILES}preview/?file=autumn-2026.csv&processor=students&mode=create"
        picture(browser, "preview", "registrar", preview, end="[name^='column-']")
        browser.close()


def arguments(*words: str) -> list[str]:
    """Return what runs a command of Campus."""
    return [sys.executable, str(ROOT / "manage.py"), *words]


def environment(folder: str) -> dict[str, str]:
    """Return the environment in which Campus writes into a folder."""
    return {**os.environ, "CAMPUS_VAR": folder}


def manage(folder: str, *words: str) -> None:
    """Run a command of Campus, silently."""
    subprocess.run(
        arguments(*words),
        env=environment(folder),
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(site: str) -> None:
    """Return when a site answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{site}/admin/login/").close()  # noqa: S310
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(site)


if __name__ == "__main__":
    main()
