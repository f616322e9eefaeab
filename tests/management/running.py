"""Commands, and with what code they end."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def printed(*arguments, code=0):
    """Return what a command prints, and its error; compare with what code it ends."""
    out = StringIO()
    arguments = list(map(str, arguments))
    if code == 0:
        call_command(*arguments, stdout=out)
        return out.getvalue()
    with pytest.raises(CommandError) as raised:
        call_command(*arguments, stdout=out)
    assert raised.value.returncode == code
    return f"{out.getvalue()}{raised.value}"
