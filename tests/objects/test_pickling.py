"""A pickle of a service is a reference to what to rebuild; so are copies."""

import copy
import pickle
import subprocess
import sys
import textwrap

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import MetaService, ServiceState

from behaviour.services import PATIENCE, Plain, waits_for_stop

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def again(value, protocol=pickle.DEFAULT_PROTOCOL):
    return pickle.loads(pickle.dumps(value, protocol))


class Region(Plain):
    """Has its hook in the middle of its arguments."""

    def __init__(self, region, hook=None, size=1):
        super().__init__(hook)
        self.region, self.size, self.built_with = region, size, hook


@pytest.fixture
def kept(meta):
    meta.add_service_builder("kept", Plain)
    return meta.get_service("kept").start()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_kept_service_comes_back_as_the_same_object(kept, protocol):
    """By its name, whatever the protocol."""
    assert again(kept, protocol) is kept


def test_a_kept_service_is_built_by_the_process_that_has_it_not(kept, meta):
    """As any name of the registry is, on the first question for it."""
    pickled = pickle.dumps(kept)
    meta.add_service_builder("kept", Region, replace=True)
    meta.add_service_builder("kept", Plain, replace=True)
    rebuilt = pickle.loads(pickled)
    assert rebuilt is not kept
    assert rebuilt is meta.get_service("kept")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_disposable_service_is_rebuilt_from_class_and_arguments(protocol):
    """Anew: NOT_STARTED, without an app."""
    service = Region("north", None, size=3).start()
    twin = again(service, protocol)
    assert (type(twin), twin.region, twin.size) == (Region, "north", 3)
    assert twin.state is ServiceState.NOT_STARTED


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize(
    "build", [lambda hook: Region("north", hook), lambda hook: Region("north", hook=hook)], ids=["place", "keyword"]
)
def test_the_hook_is_left_out(build, started):
    """Wherever it was among the arguments; it may be one that nothing can pickle."""
    hook = type("Hook", (), {"lock": waits_for_stop(None)})()
    service = build(hook)
    if started:
        service.start(hook)
    assert again(service).built_with is None


def test_a_service_of_the_registry_is_rebuilt_too(meta):
    """A disposable one knows its class; the registry is not asked."""
    meta.add_service_builder("region", Region)
    service = meta.build_service("region", None, "north")
    twin = again(service)
    assert (type(twin), twin.region) == (type(service), service.region)


def test_app_and_daemons_stay_behind():
    """Neither of them can be pickled, and nothing tries."""
    service = Plain().start()
    service.app = waits_for_stop(service)  # a closure
    service.spawn_daemon(waiting=waits_for_stop(service))
    twin = again(service)
    service.stop()
    assert twin.daemons() == []


@pytest.mark.parametrize("run_svcs", [True, False])
def test_a_meta_service_is_a_reference_with_run_svcs(run_svcs):
    """On what the process has; of its own it has `run_svcs` only."""
    meta = MetaService(run_svcs=run_svcs)
    twin = again(meta)
    assert (twin.run_svcs, twin.app) == (run_svcs, meta.app)


def test_a_hook_takes_its_services_along(kept):
    """Cycles between them included: a kept one as a reference, another rebuilt, once."""
    hook = MemoryHook()
    hook.kept, hook.own = kept, Plain(hook).start(hook)
    hook.mem["own"] = hook.own
    hook.own.owner = hook
    hook.me = hook
    twin = again(hook)
    assert twin.me is twin
    assert twin.kept is kept
    assert (type(twin.own), twin.own.state) == (Plain, ServiceState.NOT_STARTED)
    assert twin.mem["own"] is twin.own
    assert twin.own is not hook.own


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_kept_service_is_itself(kept, duplicate):
    """There is one of it."""
    assert duplicate(kept) is kept


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_of_another_service_is_a_new_one(duplicate):
    """With the same arguments, and not started."""
    service = Region("north", object()).start()
    twin = duplicate(service)
    assert twin is not service
    assert (twin.region, twin.built_with, twin.state) == ("north", None, ServiceState.NOT_STARTED)


def test_a_deep_copy_copies_the_arguments():
    """As that of any object does; a shallow one shares them."""
    service = Region(["north"])
    assert copy.copy(service).region is service.region
    assert copy.deepcopy(service).region is not service.region


PROGRAM = """
import multiprocessing
import os
from jaseci.svc import CommonService, MetaService

class Region(CommonService):
    def __init__(self, hook=None, region="none"):
        super().__init__(hook)
        self.region = region
    def build_config(self, hook):
        return {"enabled": True}
    def run(self):
        self.app = os.getpid()
    def post_run(self):
        self.spawn_daemon(waiting=self.stop_requested.wait)

MetaService().add_service_builder("kept", Region)

def child(kept, own, sending):
    is_kept = kept is MetaService().get_service("kept")
    of_child = kept.app == own.app == os.getpid()
    sending.send((is_kept, of_child, own.region, kept.daemons()[0].alive))

if __name__ == "__main__":
    kept = MetaService().get_service("kept").start()
    own = Region(object(), "north").start()
    spawning = multiprocessing.get_context("spawn")
    receiving, sending = spawning.Pipe(False)
    process = spawning.Process(target=child, args=(kept, own, sending))
    process.start()
    sending.close()
    print(receiving.recv())
    process.join()
    print(process.exitcode, kept.app == own.app == os.getpid())
"""


@pytest.mark.interpreters
def test_a_spawned_process_receives_services(tmp_path):
    """It starts its own: nothing of the sender's app or daemons."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert (ended.stderr, ended.returncode) == ("", 0), ended.stderr
    assert ended.stdout.splitlines() == ["(True, True, 'north', True)", "0 True"]
