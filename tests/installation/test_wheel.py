"""The wheel by itself, in an empty environment, and beside an application that has packages of our names."""

import json
import re
import zipfile
from pathlib import Path

import pytest

# The first test to come builds the wheel, which takes minutes where nothing was compiled before.
pytestmark = pytest.mark.timeout(1200)

SOURCES = Path(__file__).parents[2] / "python"
OURS = re.compile(r"jaseci/(svc|hook)/.+|jaseci_svc-[^/]+\.dist-info/.+")

# Packages that the runtime may use one day, and the ones that its users' services use.
THIRD_PARTY = [
    "celery",
    "django",
    "kubernetes",
    "prometheus_api_client",
    "pytest",
    "redis",
    "requests",
    "stripe",
    "yaml",
]

# What the first hook is told where redis-py is not installed. Everything else goes on without.
WITHOUT_REDIS_PY = (
    "Skipping RedisService due to initialization failure! "
    "ImportError: redis-py is not installed; install jaseci-svc[redis]"
)


@pytest.fixture
def shipped(wheel):
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def changes(before, after):
    """The paths of the files that are new, gone or different."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def without_ours(files):
    return {path: digest for path, digest in files.items() if not OURS.fullmatch(path)}


# --- By itself


def test_the_wheel_ships_svc_and_hook_and_nothing_else_under_jaseci(shipped):
    """Nothing at the top, no `jaseci/__init__.py`, no `jaseci/element`: these are the application's."""
    assert [name for name in sorted(shipped) if not OURS.fullmatch(name)] == []


def test_the_wheel_ships_every_source_file_the_stub_the_type_markers_and_the_manifests(shipped):
    """What is in the source folder is in the wheel, and besides that only the native module."""
    sources = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*")
        if path.suffix in {".py", ".pyi", ".yaml"} or path.name == "py.typed"
    }
    assert {
        "jaseci/svc/_core.pyi",
        "jaseci/svc/py.typed",
        "jaseci/hook/py.typed",
        "jaseci/svc/redis/redis.yaml",
    } <= sources
    (native,) = {name for name in shipped if not name.startswith("jaseci_svc-")} ^ sources
    assert re.fullmatch(r"jaseci/svc/_core\..*so", native)


def test_the_wheel_ships_the_stand_ins_for_an_applications_modules(shipped):
    """They lie under `svc`, where no application has files."""
    folder = "jaseci/svc/_fallback/jaseci"
    assert {
        f"{folder}/element/__init__.py",
        f"{folder}/element/master.py",
        f"{folder}/element/super_master.py",
        f"{folder}/api/__init__.py",
        f"{folder}/api/config_api.py",
    } <= shipped


def test_the_wheel_ships_its_licence_and_neither_tests_nor_caches(shipped):
    """Of the repository only the package and its licence are shipped."""
    assert [name for name in shipped if re.fullmatch(r"jaseci_svc-[^/]+\.dist-info/licenses/LICENSE", name)]
    unwanted = re.compile(r"(^|/)(tests?|test_[^/]*|conftest\.py|__pycache__|\.[^/]*|[^/]*\.(pyc|rs|toml|d))(/|$)")
    assert [name for name in shipped if unwanted.search(name)] == []


# --- In an empty environment


@pytest.mark.parametrize(
    "statement",
    [
        "from jaseci.svc import ApplicationContext, CommonService, MetaProperties, MetaService, ProxyService, ServiceState",
        "from jaseci.svc import BuilderExists, ConfigError, RuntimeClosed, ServiceError, ServiceNotRunning, StartCycle",
        "from jaseci.svc import *",
        "from jaseci.svc import RedisService; from jaseci.hook import MemoryHook, RedisHook",
        "from jaseci.svc.redis.config import REDIS_CONFIG; from jaseci.svc.redis.kube import REDIS_KUBE",
        "from jaseci.hook import MemoryHook; from jaseci.element.master import Master",
        "import jaseci.svc; from jaseci.element.super_master import SuperMaster",
        "import jaseci.svc; from jaseci.api.config_api import ConfigApi",
    ],
)
def test_in_an_empty_environment_the_manuals_imports_work(installed, statement):
    """Each in an interpreter of its own, so that none leans on another."""
    installed.run(statement)


def test_in_an_empty_environment_a_service_runs(installed):
    """Registered, configured from the memory hook, started by its first use, stopped at the exit."""
    said = installed.run(
        """
        from jaseci.svc import CommonService, MetaService

        class Greeter(CommonService):
            def build_config(self, hook):
                return {"enabled": True, "quiet": True, "greeting": "hello"}

            def run(self, hook=None):
                self.app = self.config["greeting"].upper()
                self.spawn_daemon(waits=self.stop_requested.wait)

        MetaService().add_service_builder("greeter", Greeter)
        greeter = MetaService().get_service("greeter")
        print(greeter.app, greeter.state.name, MetaService().get_service("greeter") is greeter)
        """
    )
    assert said.split() == ["HELLO", "RUNNING", "True"]


def test_in_an_empty_environment_masters_are_built_from_our_stand_ins(installed):
    """`build_super_master` works without an application, and so does what it sets."""
    said = installed.run(
        """
        from jaseci.svc import MetaService

        master, administrator = MetaService().build_master(), MetaService().build_super_master()
        administrator.config_set("CONFIG_EXAMPLE", "kept")
        print(type(master).__module__, type(administrator).__module__, administrator.config_get("CONFIG_EXAMPLE"))
        """,
        complaint=WITHOUT_REDIS_PY,
    )
    assert said.split() == ["jaseci.element.master", "jaseci.element.super_master", "kept"]


def test_in_an_empty_environment_a_hook_works_and_its_redis_says_what_to_install(installed):
    """Settings are the process's own there; the reason is logged once, however many hooks are built."""
    said = installed.run(
        """
        from jaseci.svc import MetaService

        hooks = [MetaService().build_hook() for _ in range(3)]
        redis = hooks[0].redis
        hooks[1].save_glob("SOME_CONFIG", "kept")
        print(redis.state.name, redis.error, hooks[2].get_glob("SOME_CONFIG"), sep="; ")
        """,
        complaint=WITHOUT_REDIS_PY,
    )
    assert said.strip() == "FAILED; redis-py is not installed; install jaseci-svc[redis]; kept"


@pytest.mark.parametrize("package", ["jaseci.svc", "jaseci.hook"])
def test_importing_a_package_of_ours_loads_no_third_party_module(installed, package):
    """Not even where they are installed."""
    for name in THIRD_PARTY:
        # Importable: what fails to import is gone from `sys.modules`, and who tried may have caught the error.
        (installed.site_packages / f"{name}.py").touch()
    said = installed.run(
        f"""
        import json, sys
        before = set(sys.modules)
        import {package}
        print(json.dumps(sorted(set(sys.modules) - before)))
        """
    )
    # The interpreter's own modules are named in `sys.stdlib_module_names`, with few exceptions that have no file.
    top = {name.partition(".")[0] for name in json.loads(said)}
    assert "jaseci" in top
    assert top & set(THIRD_PARTY) == set()
    assert installed.run(f"import sys; print(set({sorted(top)!r}) - sys.stdlib_module_names)").strip() == "{'jaseci'}"


def test_every_module_of_ours_can_be_imported_and_none_has_a_class_called_like_an_element(installed):
    """As applications do that look for an element class by its name."""
    said = installed.run(
        """
        import importlib, json, pkgutil
        import jaseci.svc, jaseci.hook, jaseci.element, jaseci.api

        found = {}
        for package in (jaseci.svc, jaseci.hook, jaseci.element, jaseci.api):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=print):
                names = vars(importlib.import_module(module.name))
                found[module.name] = sorted(
                    {"Node", "Edge", "Graph", "Walker", "Sentinel", "Architype", "Action", "Item", "Element"} & set(names)
                )
        print(json.dumps(found))
        """
    )
    found = json.loads(said)
    assert {"jaseci.svc.common", "jaseci.svc.testing.plugin", "jaseci.hook.memory"} <= found.keys()
    assert {module: names for module, names in found.items() if names} == {}


def test_uninstalling_leaves_an_empty_environment_empty(installed):
    """Every file that came is known to pip."""
    installed.uninstall("jaseci-svc")
    assert installed.files() == {}


# --- Beside an application


def test_installing_beside_an_application_changes_svc_and_hook_only(application, wheel):
    """Its `svc` and `hook` are replaced by ours; every other file is the same byte for byte, and none is added."""
    before = application.files()
    application.install(wheel)
    after = application.files()
    changed = changes(before, after)
    assert {"jaseci/svc/__init__.py", "jaseci/svc/meta.py", "jaseci/hook/memory.py"} <= changed
    assert [path for path in sorted(changed) if not OURS.fullmatch(path)] == []
    assert before.keys() <= after.keys()


def test_a_service_package_that_only_the_application_has_stays(application, wheel):
    """What lies in its `svc` under a name that we do not have is importable as before."""
    application.install(wheel)
    assert application.run("import jaseci.svc.mail; print(jaseci.svc.mail.whose)").strip() == "application"


def test_an_application_imports_svc_and_hook_while_it_is_half_loaded(application, wheel):
    """From inside its own `jaseci/__init__.py` and `jaseci/element/__init__.py`."""
    assert application.run("import jaseci.svc; print(jaseci.svc.MetaService.whose)").strip() == "application"
    application.install(wheel)
    said = application.run(
        """
        import jaseci
        from jaseci.svc import CommonService, MetaService
        from jaseci.hook import MemoryHook
        print(jaseci.fully_loaded, jaseci.MetaService is MetaService, *(
            hasattr(each, "whose") for each in (CommonService, MetaService, MemoryHook)))
        """
    )
    assert said.split() == ["True", "True", "False", "False", "False"]


@pytest.mark.parametrize("first", ["jaseci", "jaseci.svc", "jaseci.hook", "jaseci.element.master"])
def test_the_applications_own_master_wins_over_ours(application, wheel, first):
    """Whatever is imported first; and it is the one that `build_master` builds."""
    application.install(wheel)
    said = application.run(
        f"""
        import {first}
        from jaseci.api.config_api import ConfigApi
        from jaseci.element.master import Master
        from jaseci.svc import MetaService
        import jaseci.api
        print(Master.whose, ConfigApi.whose_api, jaseci.api.whose, type(MetaService().build_master()) is Master)
        """,
        complaint=WITHOUT_REDIS_PY,
    )
    assert said.split() == ["application", "application", "application", "True"]


def test_what_the_application_lacks_is_answered_by_ours_on_top_of_what_it_has(application, wheel):
    """Our `SuperMaster` is its `Master` with its `ConfigApi`."""
    application.install(wheel)
    said = application.run(
        """
        import jaseci.element.super_master
        from jaseci.svc import MetaService
        SuperMaster = jaseci.element.super_master.SuperMaster
        built = MetaService().build_super_master()
        print(jaseci.element.super_master.__file__, SuperMaster.whose, SuperMaster.whose_api, type(built) is SuperMaster)
        """,
        complaint=WITHOUT_REDIS_PY,
    )
    file, *rest = said.split()
    assert file.endswith("jaseci/svc/_fallback/jaseci/element/super_master.py")
    assert rest == ["application", "application", "True"]


def test_uninstalling_leaves_the_rest_of_the_application_intact(application, wheel):
    """Outside of `svc` and `hook` every file is as it was, and of ours none is left."""
    before = application.files()
    application.install(wheel)
    application.uninstall("jaseci-svc")
    after = application.files()
    assert without_ours(after) == without_ours(before)
    assert {"jaseci/__init__.py", "jaseci/element/__init__.py", "jaseci/api/__init__.py"} <= after.keys()
    assert after.items() <= before.items()
    assert "jaseci/svc/mail/__init__.py" in after
