"""Under gevent, with the standard library patched: services wait cooperatively and end with the program."""

import pytest

pytest.importorskip("gevent")


# The runner puts its prelude first, so the patch comes after the import of ours: the harder case.
def test_two_greenlets_that_start_a_service_run_it_once(run):
    """The other waits without blocking the hub, though both are on one thread."""
    source = """
    import gevent.monkey; gevent.monkey.patch_all(); import gevent
    runs, ticks = [], []

    class Slow(Running):
        def run(self):
            runs.append(1)
            gevent.sleep(0.1)
            self.app = "app"

    service = Slow()
    ticker = gevent.spawn(lambda: [(ticks.append(1), gevent.sleep(0.01)) for _ in range(5)])
    starts = [gevent.spawn(service.start) for _ in range(2)]
    gevent.joinall([*starts, ticker], timeout=30, raise_error=True)
    print(len(runs), len(ticks), service.app, all(start.value is service for start in starts))
    """
    assert run(source).lines == ["1 5 app True"]


def test_a_run_that_starts_itself_does_not_wait_for_itself_in_its_greenlet(run):
    """Re-entrance goes by greenlet: the same one goes on, another one waits for the end."""
    source = """
    import gevent.monkey; gevent.monkey.patch_all(); import gevent
    order = []

    class Again(Running):
        def run(self):
            self.start()
            order.append("itself")
            gevent.sleep(0.05)
            order.append("ran")
            self.app = 1

    service = Again()

    def other():
        service.start()
        order.append("other")

    gevent.joinall([gevent.spawn(service.start), gevent.spawn(other)], timeout=30, raise_error=True)
    print(*order)
    """
    assert run(source).lines == ["itself ran other"]


def test_a_daemon_that_waits_for_its_stop_lets_the_others_go_on(run):
    """And it ends with the service."""
    source = """
    import gevent.monkey; gevent.monkey.patch_all(); import gevent
    told = []
    service = Running().start()

    def work():
        told.append(service.stop_requested.wait())

    service.spawn_daemon(worker=work)
    for _ in range(5):
        gevent.sleep(0.001)
    told.append("hub alive")
    service.stop()
    print(*told, service.daemons())
    """
    assert run(source).lines[0].startswith("hub alive True")


def test_a_patched_program_exits_with_its_daemons_at_work(run):
    """Code 0."""
    source = """
    import gevent.monkey; gevent.monkey.patch_all(); import gevent
    service = Running().start()
    service.spawn_daemon(**{f"worker{number}": service.stop_requested.wait for number in range(50)})
    gevent.sleep(0.01)
    """
    run(source)


def test_a_patched_program_is_supervised(run):
    """Started in order, checked, revived, stopped; the hub goes on."""
    source = """
    import gevent.monkey; gevent.monkey.patch_all(); import gevent
    import logging; logging.disable(logging.CRITICAL)
    from gevent.event import Event
    checked = Event()

    class Checked(Running):
        health_interval = 0.02
        backoff = (0.01, 0.02)
        def health(self):
            checked.set()

    class Above(Checked):
        requires = ("below",)

    MetaService().add_service_builder("above", Above)
    MetaService().add_service_builder("below", Checked)
    MetaService().supervise()
    assert checked.wait(60)
    reader = MetaService().events()
    MetaService().get_service("below").failed()
    revived = set()
    while revived != {"above", "below"}:
        event = reader.next(60)
        if event.after is ServiceState.RUNNING:
            revived.add(event.service)
    print("revived")
    """
    assert run(source).lines == ["revived"]
