"""What happens on machines whose system calls have other numbers."""

from __future__ import annotations

import pytest

from tests.durability.tracing import knows_this_machine


@pytest.fixture(autouse=True)
def known_machine():
    if not knows_this_machine():
        pytest.skip("only Linux on x86-64 is known")
