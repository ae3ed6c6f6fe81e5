"""The built wheel, environments to install it into, and an application that has packages of our names."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 900.0  # seconds for a build with nothing compiled before
SECONDS_PER_STEP = 60.0  # for pip and for programs

# An application that is older than our wheel, with a `jaseci` package of its own. It imports `jaseci.svc` and
# `jaseci.hook` while `jaseci` and `jaseci.element` are half loaded, and has no `jaseci.element.super_master`.
APPLICATION = {
    "jaseci/__init__.py": """
        from jaseci.element import Element
        from jaseci.svc import CommonService, MetaService

        fully_loaded = True
    """,
    "jaseci/element/__init__.py": """
        from jaseci.svc import MetaService
        from jaseci.hook import MemoryHook

        class Element:
            whose = "application"

        from jaseci.element.master import Master
    """,
    "jaseci/element/master.py": """
        from jaseci.element import Element

        class Master(Element):
            def __init__(self, h=None):
                self._h = h
    """,
    "jaseci/api/__init__.py": "whose = 'application'",
    "jaseci/api/config_api.py": """
        class ConfigApi:
            whose_api = "application"
    """,
    "jaseci/utils/__init__.py": "",
    "jaseci/svc/__init__.py": """
        class CommonService:
            whose = "application"

        class MetaService:
            whose = "application"
    """,
    "jaseci/svc/common.py": "whose = 'application'",
    "jaseci/svc/mail/__init__.py": "whose = 'application'",
    "jaseci/hook/__init__.py": "from jaseci.hook.memory import MemoryHook",
    "jaseci/hook/memory.py": """
        class MemoryHook:
            whose = "application"
    """,
}


@dataclass(frozen=True)
class Environment:
    """A virtual environment without even pip in it: the pip of the interpreter that runs the tests works on it."""

    path: Path

    @property
    def python(self):
        return self.path / "bin" / "python"

    @property
    def site_packages(self):
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.path)}))

    def _pip(self, *arguments):
        _succeed([sys.executable, "-m", "pip", "--isolated", "--python", str(self.python), *arguments])

    def install(self, wheel):
        """Installs a wheel file, without looking for anything elsewhere."""
        self._pip("install", "--quiet", "--no-index", "--no-deps", "--no-compile", str(wheel))

    def install_locked(self, requirements):
        """Installs what a file of `requirements/` names, from the index that is configured on this machine."""
        options = ["--quiet", "--no-compile", "--require-hashes", "--only-binary", ":all:"]
        # Not isolated: the index may be named in the environment.
        _succeed(
            [sys.executable, "-m", "pip", "--python", str(self.python), "install", *options, "-r", str(requirements)]
        )

    def uninstall(self, distribution):
        self._pip("uninstall", "--quiet", "--yes", distribution)

    def run(self, program, *, complaint=""):
        """What a program prints here. A warning, or anything on standard error but `complaint`, is a failure."""
        # "I": neither this checkout nor the user's folders are importable. "B": leaves no bytecode beside what is hashed.
        return _succeed([str(self.python), "-I", "-B", "-W", "error", "-c", textwrap.dedent(program)], complaint)

    def files(self):
        """What is installed: the digest of every file by its path."""
        return {
            path.relative_to(self.site_packages).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.site_packages.rglob("*")
            if path.is_file()
        }


def _succeed(command, complaint=None, timeout=SECONDS_PER_STEP, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    if done.returncode or (complaint is not None and done.stderr.strip() != complaint):
        pytest.fail(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Our wheel, built by pip from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    # The build backend of this environment, which calls the program of its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [sys.executable, "-m", "pip", "--isolated", "wheel", str(ROOT)]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    _succeed([*command, *options], timeout=PATIENCE, env=os.environ | {"PATH": path})
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def new_environment(tmp_path):
    """A virtual environment with nothing in it."""
    path = tmp_path / "environment"
    venv.create(path, symlinks=True)
    return Environment(path)


@pytest.fixture
def installed(new_environment, wheel):
    """An environment with our wheel and nothing else."""
    new_environment.install(wheel)
    return new_environment


@pytest.fixture
def application(new_environment, tmp_path):
    """An environment with the application and nothing else."""
    new_environment.install(_application_wheel(tmp_path))
    return new_environment


def _application_wheel(folder):
    info = "some_application-1.0.dist-info"
    files = {name: textwrap.dedent(text) for name, text in APPLICATION.items()}
    files[f"{info}/METADATA"] = "Metadata-Version: 2.1\nName: some-application\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    path = folder / "some_application-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
