"""Texts of many kinds, read as PyYAML's `safe_load_all` reads them."""

from pathlib import Path

import pytest
import yaml
from jaseci.svc import manifest

from .rival import ours, same, theirs

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
each_text = pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)


def test_the_corpus_has_at_least_sixty_texts():
    """The proof is as wide as its texts."""
    assert len(CORPUS) >= 60


@each_text
def test_a_text_is_read_as_pyyaml_reads_it(path):
    """Values, their types and the order of keys."""
    text = path.read_bytes().decode()
    expected = theirs(text)
    assert expected is not None, "the corpus holds what PyYAML loads"
    assert same(ours(text), expected), (ours(text), expected)


@pytest.mark.parametrize("path", [path for path in CORPUS if path.stem.startswith("kube_")], ids=lambda path: path.stem)
def test_a_manifest_is_grouped_by_kind(path):
    """From its file, as grouping what PyYAML loads."""
    expected = {}
    for document in yaml.safe_load_all(path.read_bytes()):
        if document is not None:
            expected.setdefault(document["kind"], []).append(document)
    loaded = manifest.load(path)
    assert same(loaded, expected)
    assert same(manifest.load(path.read_bytes().decode()), expected)
