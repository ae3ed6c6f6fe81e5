"""`manifest.load`: documents by their kind, from a text or a file."""

import pytest
from jaseci.svc import manifest
from jaseci.svc.errors import ManifestError


def place_of(text):
    with pytest.raises(ManifestError) as refused:
        manifest.load(text)
    return str(refused.value)


def test_documents_of_a_kind_keep_their_order():
    """Kinds come as they are met first."""
    text = "{kind: B, n: 1}\n---\n{kind: A}\n---\n{kind: B, n: 2}\n"
    assert list(manifest.load(text).items()) == [
        ("B", [{"kind": "B", "n": 1}, {"kind": "B", "n": 2}]),
        ("A", [{"kind": "A"}]),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n...\n", "null\n"])
def test_empty_documents_are_left_out(text):
    """A text of nothing else is an empty manifest."""
    assert manifest.load(text) == {}


def test_a_document_that_is_no_mapping_is_refused_where_it_starts():
    """With its number."""
    assert place_of("kind: A\n---\n\n  - b\n") == "line 4, column 3: document 2 is a list, not a mapping"


@pytest.mark.parametrize("document", ["metadata: {}", "kind: ''", "kind: 3", "kind:", "kind: [A]", "kind: yes"])
def test_a_document_without_a_kind_is_refused_where_it_starts(document):
    """A kind is a text, and not an empty one."""
    assert place_of(f"---\n---\n# second\n{document}\n") == "line 4, column 1: document 2 has no kind"


def test_what_an_alias_stands_for_is_copied():
    """Changing one place changes no other."""
    [pod] = manifest.load("kind: Pod\na: &a [1]\nb: *a\n")["Pod"]
    pod["a"].append(2)
    assert pod["b"] == [1]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    """As editors on Windows write it."""
    path = tmp_path / "manifest.yaml"
    path.write_bytes(b"\xef\xbb\xbfkind: Pod\r\n")
    assert manifest.load(path) == {"Pod": [{"kind": "Pod"}]}


def test_a_file_that_is_not_utf_8_is_refused_with_its_name_and_place(tmp_path):
    """The column counts bytes: there are no characters yet."""
    path = tmp_path / "manifest.yaml"
    path.write_bytes(b"kind: Pod\nname: \xff\n")
    assert place_of(path).startswith(f"line 2, column 7: {path} is not UTF-8: ")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    """Not a mistake in a manifest."""
    with pytest.raises(FileNotFoundError):
        manifest.load(tmp_path / "none.yaml")


def test_a_file_that_is_too_long_is_refused(tmp_path):
    """Whether or not it would be a manifest."""
    path = tmp_path / "manifest.yaml"
    path.write_bytes(b"#" * (17 * 1024 * 1024))
    assert "16777216" in place_of(path)
