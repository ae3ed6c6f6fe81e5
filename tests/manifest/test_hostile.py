"""Texts that mean harm, or are merely wrong: `ManifestError` with line and column, and the process lives on."""

import pytest
from jaseci.svc import manifest
from jaseci.svc.errors import ConfigError, ManifestError

NESTED = 100_000


def bomb(levels=12):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels=30):
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{level}: &m{level} {{<<: [*m{level - 1}, *m{level - 1}]}}" for level in range(1, levels)]
    return "\n".join(lines)


def deep_by_aliases(levels=100):
    opened, closed = "[" * 150, "]" * 150
    return "\n".join(
        ["a0: &a0 x", *(f"a{level}: &a{level} {opened}*a{level - 1}{closed}" for level in range(1, levels))]
    )


def anchors_within_anchors(levels=150):
    return "".join(f"&a{level} [" for level in range(levels)) + "x," * 10_000 + "]" * levels


HOSTILE = {
    "alias bomb": (bomb(), "aliases written out"),
    "merge bomb": (merge_bomb(), "aliases written out"),
    "aliases that nest": (deep_by_aliases(), "nested deeper than 200 levels"),
    "anchors within anchors": (anchors_within_anchors(), "anchors stand for more than"),
    "too long": ("a" * (17 * 1024 * 1024), "16777216"),
    "lists too deep": ("[" * NESTED, ""),
    "closed lists too deep": ("[" * NESTED + "]" * NESTED, ""),
    "mappings too deep": ("{a: " * NESTED, ""),
    "block lists too deep": ("- " * NESTED + "x", ""),
    "keys too deep": ("? " * NESTED, ""),
    "indented too deep": ("".join(f"{' ' * level}a:\n" for level in range(2000)), ""),
    "alias in its anchor": ("a: &a [*a]", "inside of what it stands for"),
    "alias in its mapping": ("&a b: *a\nc: &d {e: *d}", "inside of what it stands for"),
    "alias without an anchor": ("a: *b", ""),
    "anchor given twice": ("a: &a 1\nb: &a 2", "given twice"),
    "Python object": ("a: !!python/object/apply:os.system [true]", "has no meaning in a manifest"),
    "unknown tag": ("a: !vault x", "has no meaning in a manifest"),
    "tag that does not fit": ("a: !!set [b]", "does not fit"),
    "bell": ("a: \x07", "U+0007"),
    "null character": ("a: \x00b", "U+0000"),
    "delete": ("a: \x7f", "U+007F"),
    "line separator": ("a: b\u2028c: d", "U+2028"),
    "next line": ("a: b\x85c: d", "U+0085"),
    "date that does not exist": ("a: 2001-02-29", "timestamp that exists"),
    "month that does not exist": ("a: 2001-13-01", "timestamp that exists"),
    "hour that does not exist": ("a: 2001-12-14 24:00:00", "timestamp that exists"),
    "zone of a day": ("a: 2001-12-14 21:59:43 +24:00", "timestamp that exists"),
    "no timestamp": ("a: !!timestamp today", "timestamp"),
    "base 64 cut off": ("a: !!binary YQ", "no base 64"),
    "base 64 not in ASCII": ("a: !!binary é", "no base 64"),
    "huge integer": ("a: " + "9" * 5000, "integer of a sensible length"),
    "huge binary integer": ("a: 0b" + "1" * 100_000, "integer of a sensible length"),
    "no integer": ("a: !!int x", "no integer"),
    "no boolean": ("a: !!bool maybe", "no boolean"),
    "list as a key": ("? [a]\n: b", "cannot be a key"),
    "merged text": ("a: {<<: b}", "can be merged"),
    "merge sign as a value": ("a: <<", "only as a key"),
    "list not closed": ("a: [b", ""),
    "quote not closed": ('a: "b', ""),
    "wrong indentation": ("a:\n  b: 1\n c: 2", ""),
    "two values": ("a: b: c", ""),
    "half a character": ('a: "\\ud83d"', ""),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_with_its_place(name):
    """A bounded time, and a message that begins with the place."""
    text, reason = HOSTILE[name]
    with pytest.raises(ManifestError) as refused:
        manifest.load(text)
    error = refused.value
    assert str(error).startswith(f"line {error.line}, column {error.column}: ")
    assert 1 <= error.line <= text.count("\n") + 1
    assert error.column >= 1
    assert reason in str(error)


def test_the_place_is_that_of_the_mistake():
    """Lines and columns count from 1, columns in characters."""
    with pytest.raises(ManifestError) as refused:
        manifest.load("kind: Pod\né: [ü, !x y]\n")
    assert (refused.value.line, refused.value.column) == (2, 11)


def test_a_manifest_error_is_a_config_error():
    """Who handles settings that cannot be used handles this too."""
    assert issubclass(ManifestError, ConfigError)


def test_a_refusal_repeats_no_value():
    """A manifest may hold secrets."""
    with pytest.raises(ManifestError) as refused:
        manifest.load("password: !!int hunter2\n")
    assert "hunter2" not in str(refused.value)
