"""A registry of one's own: without the shipped services, which are supervised like any other."""

import pytest

from supervision.services import Bare, Moody


@pytest.fixture
def meta(isolated_services):
    """This test's registry, empty."""
    return Bare()


@pytest.fixture
def moody(manual_clock):
    """Makes classes that note by this test's clock."""

    def make(**attributes):
        return type("Moody", (Moody,), {"starts": [], "checks": [], "clock": manual_clock, **attributes})

    return make
