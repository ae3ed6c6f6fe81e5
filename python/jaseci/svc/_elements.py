"""Finding the application's element classes by their type name."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

# Where an application keeps the classes, by type.
_PACKAGES = {
    **dict.fromkeys(("node", "edge", "graph"), "jaseci.graph"),
    **dict.fromkeys(("walker", "sentinel", "architype"), "jaseci.actor"),
    **dict.fromkeys(("action", "item"), "jaseci.attr"),
    **dict.fromkeys(("master", "super_master"), "jaseci.element"),
}


def find_element_class(j_type: str, mod: ModuleType | None = None) -> Any:
    """The class for elements of type ``j_type`` (snake case): the registered context of that name, else what the
    application's own search finds, else the class in the usual package. None if there is none."""
    from jaseci.svc.meta import MetaService

    context = MetaService().get_context(j_type)
    if context is not None:
        return context["class"]
    search = _attribute("jaseci.utils.utils", "find_class_and_import")
    if search is not None:
        return search(j_type, mod if mod is not None else importlib.import_module("jaseci"))
    package = _PACKAGES.get(j_type)
    return None if package is None else _class_in(package, "".join(word.title() for word in j_type.split("_")))


def _class_in(package: str, name: str) -> Any:
    try:
        root = importlib.import_module(package)
    except ImportError:
        return None
    if hasattr(root, name):
        return getattr(root, name)
    for module in pkgutil.iter_modules(root.__path__, f"{package}."):
        found = _attribute(module.name, name)
        if found is not None:
            return found
    return _attribute(f"{package}.{_snake(name)}", name)


def _snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() and place else each.lower() for place, each in enumerate(name))


def _attribute(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
