"""The services that these tests supervise, and what they look at."""

from jaseci.svc import MetaService

from behaviour.services import Plain


class Bare(MetaService):
    """Registers no services."""

    def populate_services(self):
        """The test does."""


class Quiet(Plain):
    """As `Plain`, without records."""

    def build_config(self, hook):
        return {"enabled": True, "quiet": True}


def needing(*required, base=Quiet, **attributes):
    """A class that requires these services."""
    return type("Needing", (base,), {"requires": required, **attributes})


def register(meta, **classes):
    """Registers each class under its name."""
    for name, cls in classes.items():
        meta.add_service_builder(name, cls)


def states(meta):
    """The names of the services' states, by service."""
    return {info.name: info.state.name for info in meta.services()}


class Moody(Plain):
    """Runs and is healthy as long as the class says so; notes when it was started, and for what it was asked."""

    runs, health_is, starts, checks = True, True, None, None
    clock = None

    def build_config(self, hook):
        return {"enabled": True, "quiet": True}

    def run(self, hook=None):
        type(self).starts.append(self.clock.now - 1000)
        if not self.runs:
            raise OSError("no route")
        self.app = object()

    def health(self):
        type(self).checks.append(self.clock.now - 1000)
        if isinstance(self.health_is, type):
            raise self.health_is("ill")
        return self.health_is


def remarks(recorder, service):
    """What the event stream says of a service beside its states."""
    return [reason for before, after, reason in recorder.of(service) if before is after]
