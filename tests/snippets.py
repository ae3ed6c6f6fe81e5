"""Runs the Python blocks of a documentation page, in order, in one namespace, and checks what they promise.

    python tests/snippets.py docs/tutorial/first-service.md

What follows `# ->`, after a statement or on the lines below it, is what an interactive session would show: what is
printed, then the value of an expression, then the type and message of an exception. `...` stands for anything.

Words after `python` at the head of a block change what is done with it:
`file=NAME` writes it to a file that later blocks can import; `pytest` runs it as a test module; `fresh` runs it in a process of its own.
`redis`, at any of them, gives the page a Redis of its own: it is the default one, and called `server`, so that it can be broken.
"""

import ast
import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^(?P<indent> *)```(?P<head>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"# -> (.*)$")
SAME = doctest.OutputChecker()
HOW = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    """The line of its first statement in the page, from 1."""
    language: str
    words: tuple[str, ...]
    code: str


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        language, *words = found["head"].split() or [""]
        line = text.count("\n", 0, found.start("code")) + 1
        code = "".join(each.removeprefix(found["indent"]) for each in found["code"].splitlines(keepends=True))
        yield Block(line, language, tuple(words), code)


class Promises:
    """The `# ->` comments of one block, by the last line of their statement."""

    def __init__(self, code: str) -> None:
        self._expected: dict[int, list[str]] = {}
        # Of a statement with a body the promise stands below it, at its own indent.
        self._indents: dict[int, int] = {}
        self.unseen: set[int] = set()
        statement = 0
        for number, line in enumerate(code.splitlines(), start=1):
            promise = PROMISE.search(line)
            below = line.lstrip().startswith("# ->")
            if not below:
                statement = number
            if promise is not None:
                if below:
                    self._indents.setdefault(statement, promise.start())
                self._expected.setdefault(statement, []).append(promise[1])
        self.unseen.update(self._expected)

    def about(self, statement: ast.stmt) -> bool:
        """Whether there is one about this statement."""
        line = statement.end_lineno
        if line not in self._expected:
            return False
        return not hasattr(statement, "body") or self._indents.get(line) == statement.col_offset

    @contextlib.contextmanager
    def kept(self, line: int) -> Iterator[list[Any]]:
        """Runs a statement, which puts its value into the list, and compares."""
        values: list[Any] = []
        printed = io.StringIO()
        raised = ""
        try:
            with contextlib.redirect_stdout(printed):
                yield values
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
        self.unseen.discard(line)
        shown = "".join(f"{value!r}\n" for value in values if value is not None)
        got = f"{printed.getvalue()}{shown}{raised}".rstrip() + "\n"
        expected = "\n".join(self._expected[line]) + "\n"
        if not SAME.check_output(expected, got, HOW):
            raise AssertionError(f"promised: {expected}got: {got}")


class _Watch(ast.NodeTransformer):
    """Puts each statement that is promised about into `with promises.kept(line)`."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.stmt) or not self._promises.about(node):
            return self.generic_visit(node)
        frame = ast.parse(f"with __promises__.kept({node.end_lineno}) as __values__:\n    __values__.append(0)").body[0]
        assert isinstance(frame, ast.With)
        if isinstance(node, ast.Expr):
            append = frame.body[0]
            assert isinstance(append, ast.Expr)
            assert isinstance(append.value, ast.Call)
            append.value.args[0] = node.value
        else:
            frame.body[0] = node
        for each in ast.walk(frame):
            ast.copy_location(each, node)
        return frame


def run(block: Block, page: Path, namespace: dict[str, Any]) -> None:
    """Runs one block; raises AssertionError for a promise that is not kept or was not reached."""
    promises = Promises(block.code)
    tree = _Watch(promises).visit(ast.parse(block.code, str(page)))
    ast.increment_lineno(tree, block.line - 1)
    namespace["__promises__"] = promises
    exec(compile(ast.fix_missing_locations(tree), str(page), "exec"), namespace)
    if promises.unseen:
        lines = ", ".join(str(block.line - 1 + line) for line in sorted(promises.unseen))
        raise AssertionError(f"{page}: no statement has come by what is promised at line {lines}")


def wants_redis(page: Path) -> bool:
    """Whether a page needs a Redis of its own."""
    return any("redis" in block.words for block in blocks_of(page))


def run_page(page: Path, only: int | None = None) -> None:
    """Runs the blocks of a page, or the one that begins at a line, in a folder of its own."""
    page = page.resolve()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    if not wants_redis(page) or only is not None:
        run_blocks(page, namespace, only)
        return
    with default_redis() as server:
        run_blocks(page, namespace | {"server": server}, only)


@contextlib.contextmanager
def default_redis() -> Iterator[Any]:
    """A Redis of our own, as if the environment had named it when this process began."""
    from jaseci.svc import MetaService
    from jaseci.svc.redis.config import REDIS_CONFIG
    from jaseci.svc.testing import PrivateRedis

    with PrivateRedis() as server:
        os.environ.update(server.environment())
        REDIS_CONFIG.update(server.config())
        try:
            yield server
        finally:
            MetaService().shutdown()


def run_blocks(page: Path, namespace: dict[str, Any], only: int | None) -> None:
    """Runs the blocks of a page, or the one that begins at a line."""
    for block in blocks_of(page):
        if block.language != "python" or (only is not None and block.line != only):
            continue
        if "fresh" in block.words and only is None:
            subprocess.run([sys.executable, *_flags(), __file__, page, str(block.line)], check=True)
            continue
        [file] = [word.removeprefix("file=") for word in block.words if word.startswith("file=")] or [""]
        if "pytest" in block.words:
            file = file or f"test_line_{block.line}.py"
        if file:
            Path(file).write_text(block.code, encoding="utf-8")
        if "pytest" in block.words:
            subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file], check=True)
        elif not file:
            run(block, page, namespace)


def _flags() -> list[str]:
    return [f"-W{option}" for option in sys.warnoptions]


def _main(page: str, line: str | None = None) -> None:
    page = str(Path(page).resolve())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        run_page(Path(page), None if line is None else int(line))
        os.chdir("/")


if __name__ == "__main__":
    _main(*sys.argv[1:])
