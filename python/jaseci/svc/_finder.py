"""Modules under ``jaseci`` that are ours only where the application has none.

The wheel is installed beside an application's own ``jaseci`` package and must not ship files into it outside of ``svc``
and ``hook``. What a newcomer without such an application needs besides lies in ``_fallback``, laid out as it is
imported, so that a type checker finds it with that folder on its path. At run time this finder finds it, which is asked
last: a module that the application has never gets here.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

_FALLBACK = Path(__file__).parent / "_fallback"

_FILES = {
    "jaseci.element": "jaseci/element/__init__.py",
    "jaseci.element.master": "jaseci/element/master.py",
    "jaseci.element.super_master": "jaseci/element/super_master.py",
    "jaseci.api": "jaseci/api/__init__.py",
    "jaseci.api.config_api": "jaseci/api/config_api.py",
}


class FallbackFinder(MetaPathFinder):
    """Finds our stand-ins for modules that nobody else has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a stand-in, if there is one of this name."""
        file = _FILES.get(fullname)
        if file is None:
            return None
        is_package = file.endswith("__init__.py")
        locations: list[str] | None = [] if is_package else None
        return spec_from_file_location(fullname, _FALLBACK / file, submodule_search_locations=locations)


def install() -> None:
    """Asks this finder last; installing it again changes nothing."""
    if not any(isinstance(finder, FallbackFinder) for finder in sys.meta_path):
        sys.meta_path.append(FallbackFinder())
