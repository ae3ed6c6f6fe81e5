"""PyYAML beside the loader: what each makes of a text, and whether that is the same."""

from itertools import starmap

import yaml
from jaseci.svc._core import load_documents
from jaseci.svc.errors import ManifestError


def ours(text):
    """The documents, or the reason why there are none."""
    try:
        return [document for document, _line, _column in load_documents(text)]
    except ManifestError as error:
        return reason_of(error)


def reason_of(error):
    """Without its place, which is looked at."""
    assert error.line >= 1
    assert error.column >= 1
    return str(error).partition(": ")[2]


def theirs(text):
    """The documents, or None where PyYAML refuses, which it does with errors of many kinds."""
    try:
        return list(yaml.safe_load_all(text))
    except Exception:
        return None


def same(one, other):
    """Equal in types and in the order of keys too; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(starmap(same, zip(one, other, strict=True)))
    return one == other
