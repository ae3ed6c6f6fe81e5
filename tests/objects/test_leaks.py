"""Flat memory: what is done a hundred thousand times leaves nothing behind."""

import gc
import threading
import time
from collections import Counter

import psutil
import pytest

from behaviour.services import PATIENCE, waits_for_stop
from objects.test_garbage import Failing, Hook, Quiet

MIB = 2**20
ALLOWED = 2 * MIB  # what the allocators may come to hold; 21 bytes lost in each of 100,000 rounds are more
OBJECTS = 100  # what other threads may make of objects that the collector knows: far less than one for each round


def objects():
    gc.collect()
    return len(gc.get_objects())


def growth(action, *, warm_up, rounds):
    """Of resident memory and of collectable objects, while `action` is done `rounds` times after a warm-up."""
    process = psutil.Process()
    for _ in range(warm_up):
        action()
    before_objects, before = objects(), process.memory_info().rss
    for _ in range(rounds):
        action()
    after_objects = objects()
    return process.memory_info().rss - before, after_objects - before_objects


def assert_flat(grown):
    memory, number = grown
    assert memory < ALLOWED, f"{memory / MIB:.1f} MiB more"
    assert number < OBJECTS, f"{number} objects more; most are {Counter(map(type, gc.get_objects())).most_common(5)}"


def build_start_reset():
    Quiet().start().reset()


def with_a_hook_in_a_cycle():
    hook = Hook()
    hook.service = Quiet(hook)
    hook.service.start(hook).reset(Hook())


def with_a_failing_run():
    Failing().start().reset()


def with_a_stop():
    service = Quiet().start()
    service.stop()
    service.start()


def with_keyword_arguments():
    Quiet(hook=Hook()).reset(Hook())


def test_memory_is_flat_over_100_000_cycles_of_build_start_and_reset():
    """Neither bytes nor objects."""
    assert_flat(growth(build_start_reset, warm_up=10_000, rounds=100_000))


@pytest.mark.parametrize("action", [with_a_hook_in_a_cycle, with_a_failing_run, with_a_stop, with_keyword_arguments])
def test_memory_is_flat_over_other_ways_of_life(action):
    """Cycles, failures and stops, too."""
    assert_flat(growth(action, warm_up=5_000, rounds=20_000))


def test_memory_is_flat_over_resets_of_one_service():
    """A generation leaves nothing in the service."""
    service = Quiet().start()
    assert_flat(growth(service.reset, warm_up=5_000, rounds=50_000))


def test_memory_is_flat_over_resets_of_a_failing_service():
    """An error goes when the next one comes."""
    service = Failing().start()
    assert_flat(growth(service.reset, warm_up=5_000, rounds=20_000))


def test_memory_is_flat_over_disposable_services(meta):
    """The registry keeps none of them."""
    meta.add_service_builder("disposable", Quiet)
    assert_flat(growth(lambda: meta.build_service("disposable", None).start(), warm_up=5_000, rounds=30_000))


def test_memory_is_flat_over_replaced_kept_services(meta):
    """Nor the names that were registered again."""

    def replace():
        meta.add_service_builder("kept", Quiet, replace=True)
        meta.get_service("kept").start()

    assert_flat(growth(replace, warm_up=5_000, rounds=20_000))


def test_memory_is_flat_over_built_hooks(meta):
    """With the kept services attached to each."""
    assert_flat(growth(meta.build_hook, warm_up=500, rounds=3_000))


def test_memory_is_flat_over_event_streams(meta):
    """One that is closed or dropped is not fed any longer."""

    def listen():
        meta.subscribe(print).close()
        meta.events(replay=True)

    assert_flat(growth(listen, warm_up=2_000, rounds=20_000))


@pytest.mark.interpreters
def test_memory_is_flat_over_daemons_of_one_service():
    """A daemon that is spawned again replaces the ended one."""
    service = Quiet().start()

    def cycle():
        service.spawn_daemon(worker=waits_for_stop(service))
        service.terminate_daemon("worker")

    assert_flat(growth(cycle, warm_up=500, rounds=3_000))


@pytest.mark.interpreters
def test_300_services_with_a_daemon_each_leave_no_thread():
    """Neither one that Python knows nor one that the system does."""
    process = psutil.Process()
    threads, natives = set(threading.enumerate()), process.num_threads()
    services = [Quiet().start() for _ in range(300)]
    for service in services:
        service.spawn_daemon(waiting=waits_for_stop(service))
    spawned = set(threading.enumerate()) - threads
    assert len(spawned) == 300
    for service in services:
        service.stop()
    for thread in spawned:
        thread.join(PATIENCE)
    assert set(threading.enumerate()) == threads
    until = time.monotonic() + PATIENCE
    while process.num_threads() > natives and time.monotonic() < until:
        time.sleep(0.01)  # a joined thread has left Python, and shortly after that the system
    assert process.num_threads() <= natives
