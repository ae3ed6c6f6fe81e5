"""Kubernetes manifests: YAML texts as the ``kube`` settings of a service."""

import os
from pathlib import Path
from typing import Any

from jaseci.svc._core import load_documents
from jaseci.svc.errors import ManifestError

__all__ = ["ManifestError", "load"]


def load(text_or_path: str | os.PathLike[str]) -> dict[str, list[dict[str, Any]]]:
    r"""The documents of a manifest by their ``kind``, as ``build_kube`` returns them; empty documents are left out.

    A ``str`` is the text itself, anything else the path of a UTF-8 file. Values are those of PyYAML's ``safe_load_all``,
    YAML 1.1 booleans, octals and timestamps included, except that nothing is shared: what an alias stands for is copied.

    Where PyYAML and YAML's later versions differ in what they accept, a few rare texts are refused that PyYAML reads, and
    a few are read that it refuses; docs/reference/manifests.md lists them. Nothing is read as something else but one: a
    character that is escaped in two halves (``"\\ud83d\\ude00"``) is that character, not its halves.

    Raises ``ManifestError`` with line and column for what is no YAML, has a tag without a meaning, is longer than 16 MiB,
    deeper than 200 levels, or amounts to more than a million values; and for a document that is no mapping or has no
    ``kind``. ``OSError`` if the file cannot be read.

    >>> load("kind: Service\nmetadata: {name: redis}\n")
    {'Service': [{'kind': 'Service', 'metadata': {'name': 'redis'}}]}
    """
    text = text_or_path if isinstance(text_or_path, str) else _read(Path(text_or_path))
    grouped: dict[str, list[dict[str, Any]]] = {}
    for number, (document, line, column) in enumerate(load_documents(text), 1):
        if document is not None:
            kind = document.get("kind") if isinstance(document, dict) else None
            if not isinstance(kind, str) or not kind:
                raise ManifestError(f"document {number} {_without_kind(document)}", line, column)
            grouped.setdefault(kind, []).append(document)
    return grouped


def _read(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise ManifestError(f"{path} is not UTF-8: {error.reason}", line, column) from error


def _without_kind(document: Any) -> str:
    return "has no kind" if isinstance(document, dict) else f"is a {type(document).__name__}, not a mapping"
