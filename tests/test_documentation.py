"""The documentation is true: its examples run and show what it says, its links lead somewhere, its index is complete."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import jaseci.hook
import jaseci.svc
import pytest
from jaseci.svc import CommonService, MetaService
from jaseci.svc.testing import plugin

from snippets import BLOCK, blocks_of, wants_redis

ROOT = Path(__file__).resolve().parents[1]
RUNNER = ROOT / "tests" / "snippets.py"
PATIENCE = 100  # seconds until a page is called hung; each takes a few
FORK_IN_THREADS = "-Wignore:This process:DeprecationWarning"  # Python 3.12 and later say so; a page is about it

DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
EXAMPLES = sorted((ROOT / "examples").glob("*/README.md"))
LINKED = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *EXAMPLES]

LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
MAKE = re.compile(r"(?:^\$ |`)make ([a-z0-9-]+)", re.MULTILINE)


def named(paths):
    return pytest.mark.parametrize("page", paths, ids=[str(path.relative_to(ROOT)) for path in paths])


def succeeds(*command):
    """Runs Python in a process of its own, in which a warning is an error."""
    ended = subprocess.run(
        [sys.executable, "-Werror", FORK_IN_THREADS, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@named([page for page in PAGES if any(block.language == "python" for block in blocks_of(page))])
def test_the_examples_of_a_page_show_what_it_says(page):
    if wants_redis(page):
        plugin._need_a_redis_server()
    succeeds(RUNNER, page)


def modules():
    for package in (jaseci.svc, jaseci.hook):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "_fallback" not in found.name:
                yield importlib.import_module(found.name)


def examples_in(module):
    return [found for found in doctest.DocTestFinder(exclude_empty=True).find(module) if found.examples]


MODULES = [module.__name__ for module in modules() if examples_in(module)]
DOCTEST = """
import doctest, importlib, sys
result = doctest.testmod(importlib.import_module(sys.argv[1]), optionflags=doctest.ELLIPSIS)
sys.exit(result.failed > 0 or result.attempted == 0)
"""


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_show_what_they_say(module):
    succeeds("-c", DOCTEST, module)


@pytest.mark.parametrize(
    "documented",
    [CommonService, CommonService.spawn_daemon, MetaService, MetaService.override],
    ids=lambda d: d.__qualname__,
)
def test_what_everybody_uses_has_an_example_in_its_docstring(documented):
    assert doctest.DocTestParser().get_examples(documented.__doc__)


def anchors_of(page):
    """As GitHub makes them of headings."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose)}


def is_broken(page, link):
    if re.match(r"[a-z]+:", link):
        return False
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in anchors_of(target))


@named(LINKED)
def test_every_link_of_a_page_leads_somewhere(page):
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    assert [link for link in LINK.findall(prose) if is_broken(page, link)] == []


def test_the_index_lists_every_page():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert sorted(set(DOCS) - linked - {index}) == []


@named(LINKED)
def test_every_make_command_of_a_page_is_a_target(page):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(MAKE.findall(page.read_text(encoding="utf-8"))) - targets == set()


# --- The runner itself: a page that is wrong must not pass


def outcome_of(tmp_path, *lines):
    page = tmp_path / "page.md"
    page.write_text("\n".join(["```python", *lines, "```", ""]))
    return subprocess.run([sys.executable, str(RUNNER), str(page)], capture_output=True, text=True, check=False)


def test_an_example_that_shows_something_else_fails(tmp_path):
    assert "promised: 3\ngot: 2\n" in outcome_of(tmp_path, "1 + 1  # -> 3").stderr


def test_an_example_whose_error_is_not_promised_fails(tmp_path):
    assert outcome_of(tmp_path, "1 / 0").returncode != 0


def test_an_example_that_is_never_reached_fails(tmp_path):
    assert "at line 3" in outcome_of(tmp_path, "def never():", "    return 1  # -> 1").stderr


def test_an_example_may_promise_prints_a_value_and_an_error(tmp_path):
    lines = [
        "print('a')  # -> a",
        "'b'",
        "# -> 'b'",
        "int('x')  # -> ValueError: ...",
        "if True:",
        "    print(1)  # -> 1",
    ]
    assert outcome_of(tmp_path, *lines).returncode == 0
