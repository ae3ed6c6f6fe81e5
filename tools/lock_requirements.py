"""Writes `requirements/*.txt` from `requirements/*.in`: exact versions with hashes, for Python 3.11 and later.

The largest set is resolved first and the smaller ones are held to its versions, so that one virtualenv can take them
one after another. A set apart has an environment of its own. What is locked stays where it is unless it no longer fits its `.in` file, or `--upgrade` is given.
No index address is written: whoever installs uses the index that is configured on their machine.
"""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path("requirements")
LARGEST_FIRST = ("lint", "test", "run")
APART = ("oldest",)
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=make lock",
    "--quiet",
)


def main(arguments: list[str]) -> None:
    """Lock every set. `arguments` are handed on to the resolver."""
    for name in LARGEST_FIRST:
        constraint = [] if name == LARGEST_FIRST[0] else ["--constraint", f"{FOLDER / LARGEST_FIRST[0]}.txt"]
        lock(name, [*constraint, *arguments])
    for name in APART:
        lock(name, arguments)


def lock(name: str, options: list[str]) -> None:
    """Resolve one set."""
    source, target = (str(FOLDER / f"{name}.{ending}") for ending in ("in", "txt"))
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    subprocess.run([uv, "pip", "compile", source, "--output-file", target, *OPTIONS, *options], check=True)
    print(f"locked {target}")


if __name__ == "__main__":
    main(sys.argv[1:])
