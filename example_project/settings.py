"""The settings of Campus, the example project. `make demo` starts it."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent

# Everything that Campus writes: the database, the files, their copies.
VAR = Path(os.environ.get("CAMPUS_VAR", HERE / "var")).absolute()
VAR.mkdir(parents=True, exist_ok=True)  # SQLite does not make folders.

# Known to everybody who reads this file, so good for an example only. A real site
# keeps its key out of the repository: receipts are signed with it.
SECRET_KEY = "campus-is-an-example-and-this-key-is-no-secret"

# On, so that runserver serves the static files and errors explain themselves.
# To see the pages for errors that visitors of a real site get:
# CAMPUS_DEBUG=0 python manage.py runserver --insecure
DEBUG = os.environ.get("CAMPUS_DEBUG", "1") != "0"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

# --- What deliverystore needs -----------------------------------------------------

DELIVERY_STORE_BACKEND = "deliverystore.backends.FsHierDeliveryStore"
DELIVERY_STORE_ROOT = VAR / "deliveries"

# ... and what it refuses.
DELIVERY_STORE_MAX_FILES = 20
DELIVERY_STORE_MAX_FILE_BYTES = 200 * 1024**2
DELIVERY_STORE_MAX_DELIVERY_BYTES = 500 * 1024**2
DELIVERY_STORE_ALLOWED_EXTENSIONS = [
    *(".csv", ".json", ".log", ".md", ".py", ".txt", ".tex"),
    *(".doc", ".docx", ".odt", ".pdf", ".xlsx"),
    *(".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"),
    *(".gz", ".tar", ".zip"),
]

# Where files with rows come in, wait, and are kept.
DELIVERY_STORE_DATACENTER_ROOT = VAR / "tables"

# A folder in which files are dropped that are to be imported. `make demo` watches it.
DELIVERY_STORE_SPOOLS = {"registrar": VAR / "hot-folder"}

# What visitors see of handed-in photos is in the storage "default": below MEDIA_ROOT.
DELIVERY_STORE_PUBLIC_STORAGE = "default"
# Where it is made.
DELIVERY_STORE_WORKBENCH_ROOT = VAR / "workbench"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Where key-value stores in the database keep their data, which is private.
    "values": {
        "BACKEND": "deliverystore.backends.FsDeliveryStore",
        "OPTIONS": {"root": VAR / "values"},
    },
    # A second place for what was handed in. For a real site: another disk, or another
    # machine by DjangoStorageDeliveryStore.
    "copies": {
        "BACKEND": "deliverystore.backends.FsHierDeliveryStore",
        "OPTIONS": {"root": VAR / "copies"},
    },
}

# What happens to files with rows, and who did it: beside these files.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"dated": {"format": "%(asctime)s %(message)s"}},
    "handlers": {
        "datacenter": {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": DELIVERY_STORE_DATACENTER_ROOT / "logs" / "datacenter.log",
            "delay": True,
            "formatter": "dated",
        },
    },
    "loggers": {
        "deliverystore.datacenter": {"handlers": ["datacenter"], "level": "INFO"},
        # Since Django 6.0 it tells of each beginning and end.
        "django.tasks": {"level": "WARNING"},
    },
}

# Imports, exports and pictures are done by a worker: python manage.py db_worker.
# `make demo` starts one beside the site.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- The rest is Django's ---------------------------------------------------------

INSTALLED_APPS = [
    "example_project.campus",
    "example_project.registrar",
    "deliverystore",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_tasks_db",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "campus.sqlite3",
        "OPTIONS": {
            # Writers queue up, instead of meeting "database is locked" halfway.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # What is committed survives a power cut.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    },
}

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "campus:home"
LOGOUT_REDIRECT_URL = "campus:home"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "media/"
MEDIA_ROOT = VAR / "media"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
