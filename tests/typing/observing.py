"""Events, by reading and by being called, and what goes wrong. Checked, never run."""

from typing import assert_type

from jaseci.svc import (
    BuilderExists,
    CommonService,
    ConfigError,
    Event,
    EventReader,
    MetaService,
    RuntimeClosed,
    ServiceError,
    ServiceNotRunning,
    ServiceState,
    StartCycle,
    StartTimeout,
)


def reading(meta: MetaService) -> None:
    reader = meta.events(replay=True)
    assert_type(reader, EventReader)
    assert_type(reader.next(timeout=0.5), Event | None)
    assert_type(reader.missed, int)
    for event in reader:
        assert_type((event.number, event.service), tuple[int, str])
        assert_type((event.before, event.after), tuple[ServiceState, ServiceState])
        assert_type((event.reason, event.when), tuple[str | None, float])
        event.reason.upper()  # type: ignore[union-attr]
        event.after = ServiceState.FAILED  # type: ignore[misc]
    reader.close()
    print(reader.next().service)  # type: ignore[union-attr]


def being_called(meta: MetaService) -> None:
    seen: list[Event] = []
    with meta.subscribe(seen.append, replay=True) as subscription:
        subscription.close()
    meta.subscribe(lambda event: event.service)
    meta.subscribe(seen)  # type: ignore[arg-type]
    names: list[str] = []
    meta.subscribe(names.append)  # type: ignore[arg-type]


def errors(service: CommonService[str]) -> str | None:
    try:
        return service.start().poke()
    except ServiceNotRunning as error:
        assert_type(error.args, tuple[object, ...])  # type: ignore[assert-type]
    except (StartCycle, RuntimeClosed, BuilderExists) as error:
        of_ours: ServiceError = error
        raise of_ours from None
    except TimeoutError:
        pass
    return None


# Each is also what such a thing is called in the standard library.
timeout: type[TimeoutError] = StartTimeout
value: type[ValueError] = ConfigError
wrong: type[ValueError] = StartCycle  # type: ignore[assignment]
