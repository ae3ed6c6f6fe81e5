"""Generated documents: read as PyYAML reads them, or refused for a reason that is documented."""

import re

import yaml
from hypothesis import given, strategies as st

from .rival import ours, same, theirs

# What docs/reference/manifests.md lists: refused here, read by PyYAML.
REFUSED_ON_PURPOSE = re.compile(
    r"plain scalar cannot start with '-' followed by"
    r"|missing explicit document end marker before directive"
    r"|the character U\+(0085|2028|2029) is not allowed"
    r"|a '\?' in a flow collection must be quoted"
    r"|has a name of other than letters"
    r"|comments must be separated from other tokens"
    r"|an alias inside of what it stands for"
    r"|only a mapping or a list of mappings can be merged"  # a set, which PyYAML merges as a mapping
)
# A name that goes on with another sign (`*a: b`): YAML 1.1 ends the name there, later versions do not.
NAME_THAT_GOES_ON = re.compile(r"[&*][\w-]*[^\w\s-]")

# --- Values, written by PyYAML

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff")
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(characters, max_size=12),
    st.sampled_from(
        ["yes", "0777", "1:30", "2001-12-14", "<<", "=", "~", "- a", "a: b", "#", "|", "'", "...", "---", "%a"]
    ),
    st.binary(max_size=12),
    st.dates(),
    st.datetimes(),
)
keys = st.one_of(st.text(characters, max_size=6), st.integers(), st.booleans(), st.none(), st.dates())
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.sets(st.text(characters, max_size=3), max_size=3),
    ),
    max_leaves=12,
)
styles = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "default_style": st.sampled_from([None, "'", '"', "|", ">"]),
        "allow_unicode": st.booleans(),
        "explicit_start": st.just(True),
        "sort_keys": st.just(False),
        "indent": st.sampled_from([2, 4]),
        "width": st.sampled_from([20, 80]),
    }
)


@given(st.lists(values, max_size=3), styles)
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(documents, style):
    """Anchors and aliases included, which it writes for what it meets twice."""
    assert_read_alike(yaml.safe_dump_all(documents, **style))


# --- Source text, by its pieces

PLAIN = [
    "0",
    "07",
    "0777",
    "08",
    "1_0",
    "0x1F",
    "0b11",
    "1:30",
    "1:30:20.5",
    "1.5",
    ".5",
    "1e3",
    "1.0e+3",
    "-.inf",
    ".nan",
    "yes",
    "No",
    "on",
    "~",
    "null",
    "=",
    "<<",
    "'q'",
    '"d\\n\\x41"',
    "2001-12-14",
    "2001-12-14T01:02:03.123456789Z",
    "a:b",
    "a#b",
    "@x",
    "`x",
    "%x",
    "&",
    "?",
    "-",
    "--",
    "---",
    "...",
    "'it''s'",
    "é",
    "http://a:80/b",
    "1,000",
    "+1",
    "+.5",
    "-0",
    "0_",
    "0x",
    "12e03",
    "-2.e+5",
    "'",
    '"',
    "]",
    "}",
    ",",
    "[]",
    "{}",
]
SPACED = [
    "",
    " ",
    "a b",
    "a #c",
    "- x",
    "key: v",
    "2001-12-14 1:02:03",
    "2001-12-14 21:59:43 -5:30",
    "!!str 3",
    '!!int "3"',
    "!!float 1",
    "! 5",
    "!!null x",
    "!!bool yes",
    "!!binary aGVsbG8=",
    "!foo x",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!pairs [a: 1, a: 2]",
    "\u2028x",
]
BLOCKS = ["|\n  lit\n  two\n", ">\n  fold\n  two\n\n  x\n", "|-\n    deep\n", ">+\n    kept\n\n"]
one_line = st.sampled_from(PLAIN + SPACED)


def flows(inner):
    entries = st.tuples(st.sampled_from(PLAIN), inner).map(": ".join)
    return st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(entries, max_size=3).map(lambda items: f"{{{', '.join(items)}}}"),
    )


flow = st.recursive(one_line, flows, max_leaves=5)
anchors = st.sampled_from(["", "", "", "&x ", "&y "])
names = st.sampled_from(["a", "b", "c", "<<", "'<<'", "1", "yes", "=", "? x", '"q k"', "x y"])


@st.composite
def blocks(draw, depth=2, indent=0):
    pad = " " * indent
    lines = []
    is_mapping = draw(st.booleans())
    for _ in range(draw(st.integers(1, 3))):
        head = pad + (draw(names) + ":" if is_mapping else "-")
        if depth and draw(st.booleans()):
            lines.append(f"{head} {draw(anchors)}\n{draw(blocks(depth - 1, indent + 2))}")
        else:
            lines.append(f"{head} {draw(st.one_of(flow, st.sampled_from([*BLOCKS, '*x', '*y']), anchors))}\n")
    return "".join(lines)


separators = st.sampled_from(["---\n", "--- # c\n", "%YAML 1.1\n---\n", "...\n---\n", "...\n"])
sources = st.lists(st.tuples(separators, blocks()), min_size=1, max_size=2).map(
    lambda parts: "".join(map("".join, parts))
)


@given(sources)
def test_source_text_is_read_as_pyyaml_reads_it(source):
    """Or refused, for a reason on the list."""
    assert_read_alike(source)


@given(st.text(alphabet="ab1?-:,[]{}&*!|>'\"#%= \n\t~<.", max_size=30))
def test_text_at_random_is_read_as_pyyaml_reads_it(source):
    """Most of it is no YAML: both may refuse, and what both read is alike."""
    assert_read_alike(source)


def assert_read_alike(text):
    expected = theirs(text)
    loaded = ours(text)
    if isinstance(loaded, str):
        on_purpose = REFUSED_ON_PURPOSE.search(loaded) or NAME_THAT_GOES_ON.search(text)
        assert expected is None or on_purpose, (text, loaded, expected)
    elif expected is not None:
        assert same(loaded, expected), (text, loaded, expected)
