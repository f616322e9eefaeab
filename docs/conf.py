"""How the documentation is built: `make docs`."""

from __future__ import annotations

import django
from django.conf import settings

from deliverystore import __version__

# autodoc imports the models, which need a configured Django.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "deliverystore",
    ],
    USE_TZ=True,
)
django.setup()

project = "deliverystore"
author = "deliverystore contributors"
copyright = author  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]
smartquotes = False  # what is quoted is there to be typed

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# Docstrings say in words what is taken and returned.
autodoc_typehints = "none"

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"deliverystore {release}"
html_static_path = ["_static"]
html_css_files = ["deliverystore.css"]
html_theme_options = {"top_of_page_buttons": []}
html_copy_source = False
html_show_sphinx = False
pygments_dark_style = "a11y-high-contrast-dark"
