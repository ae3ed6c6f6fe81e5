"""Section 1 and 2: what can be imported from where, and what importing does not do."""

import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys

import jaseci.hook
import jaseci.svc
import pytest
from jaseci.svc import ServiceState

NAMES = [
    ("jaseci.svc", "ServiceState CommonService ProxyService ApplicationContext MetaProperties MetaService"),
    ("jaseci.svc", "ServiceError ServiceNotRunning StartCycle StartTimeout RuntimeClosed ConfigError BuilderExists"),
    ("jaseci.svc.common", "CommonService ProxyService ApplicationContext MetaProperties"),
    ("jaseci.svc.state", "ServiceState"),
    ("jaseci.svc.meta", "MetaService"),
    ("jaseci.svc.testing", "isolated LifecycleRecorder"),
    ("jaseci.hook", "MemoryHook"),
    ("jaseci.hook.memory", "MemoryHook"),
    ("jaseci.element.master", "Master"),
    ("jaseci.element.super_master", "SuperMaster"),
    ("jaseci.api.config_api", "ConfigApi"),
]
ELEMENTS = {"Node", "Edge", "Graph", "Walker", "Sentinel", "Architype", "Action", "Item", "Element", "Object", "Master"}


def modules_of(package):
    return [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


OURS = ["jaseci.svc", "jaseci.hook", *modules_of(jaseci.svc), *modules_of(jaseci.hook)]


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("module", "names"), NAMES)
def test_a_public_name_is_where_it_was(module, names):
    """The names of section 1 that this package has so far."""
    loaded = importlib.import_module(module)
    assert [name for name in names.split() if not hasattr(loaded, name)] == []


def test_one_class_has_one_identity_wherever_it_is_imported_from():
    """The old places hold the same classes."""
    assert jaseci.svc.common.CommonService is jaseci.svc.CommonService
    assert jaseci.svc.meta.MetaService is jaseci.svc.MetaService
    assert jaseci.svc.state.ServiceState is jaseci.svc.ServiceState


@pytest.mark.parametrize("module", [name for name in OURS if "._fallback" not in name])
def test_every_module_of_ours_can_be_imported(module):
    """An application imports every module it finds, looking for an element class."""
    importlib.import_module(module)


@pytest.mark.parametrize("module", [name for name in OURS if "._fallback" not in name])
def test_no_module_of_ours_has_a_class_named_like_an_element(module):
    """Else an application would take it for its own."""
    held = vars(importlib.import_module(module))
    assert {name for name, value in held.items() if name in ELEMENTS and isinstance(value, type)} == set()


def test_every_module_can_be_imported_without_pytest():
    """The testing package is shipped; pytest is not."""
    program = f"import sys, importlib; sys.modules['pytest'] = None; [importlib.import_module(m) for m in {OURS!r}]"
    ended = run(program)
    assert ended.returncode == 0, ended.stderr


def test_the_pytest_plugin_is_not_loaded_by_itself():
    """It is named in a conftest, by who wants it."""
    points = importlib.metadata.entry_points(group="pytest11")
    assert [point.name for point in points if "jaseci" in point.value] == []


@pytest.mark.parametrize("module", ["jaseci.svc", "jaseci.hook"])
def test_importing_it_imports_nothing_of_others(module):
    """Neither an application's packages nor a library: best none until used."""
    program = (
        f"import {module}, sys;"
        "others = {'celery', 'redis', 'requests', 'kubernetes', 'yaml', 'django', 'pytest', 'prometheus_api_client'};"
        "print(sorted((others | {'jaseci.element', 'jaseci.api', 'jaseci.svc.testing'}) & set(sys.modules)))"
    )
    assert run(program).stdout.strip() == "[]"


def test_importing_populates_and_starts_nothing():
    """The registry is populated by the first MetaService(), not by an import."""
    program = "import jaseci.svc, jaseci.hook, threading; print(threading.active_count(), len(jaseci.svc.EventReader(True).next(0) or []))"
    assert run(program).stdout.split() == ["1", "0"]


def test_jaseci_is_a_namespace_that_others_may_share():
    """The wheel ships no jaseci/__init__.py."""
    import jaseci

    assert getattr(jaseci, "__file__", None) is None


def test_the_states_have_their_numbers():
    """-1, 0, 1, 2 are public interface."""
    assert {state.name: state.value for state in ServiceState} == {
        "FAILED": -1,
        "NOT_STARTED": 0,
        "STARTED": 1,
        "RUNNING": 2,
    }


@pytest.mark.parametrize(
    ("question", "state"),
    [("is_ready", ServiceState.NOT_STARTED), ("is_running", ServiceState.RUNNING), ("has_failed", ServiceState.FAILED)],
)
def test_a_state_answers_for_itself_alone(question, state):
    """Each question is true of one state."""
    assert [each for each in ServiceState if getattr(each, question)()] == [state]
