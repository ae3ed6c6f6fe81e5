"""The services that these tests start."""

from threading import Event

from jaseci.svc import CommonService

PATIENCE = 20  # seconds until what a test waits for is called missing


class Plain(CommonService):
    """Enabled, not quiet; its app is an object of its own."""

    def build_config(self, hook):
        return {"enabled": True}

    def run(self, hook=None):
        self.app = object()


class Disabled(Plain):
    """As a service is whose settings do not enable it."""

    def build_config(self, hook):
        return {}


class Broken(Plain):
    """Fails whenever it is started."""

    def run(self, hook=None):
        raise OSError("no route to the library")


class Held(Plain):
    """Its `run` waits for `release`; `entered` says that it has begun."""

    def __init__(self, hook=None):
        super().__init__(hook)
        # A reset calls the constructor again: the events stay.
        self.__dict__.setdefault("entered", Event())
        self.__dict__.setdefault("release", Event())

    def run(self, hook=None):
        self.entered.set()
        assert self.release.wait(PATIENCE)
        super().run(hook)


def waits_for_stop(service):
    """A daemon's target that ends when it is asked to."""

    def target():
        service.stop_requested.wait(PATIENCE)

    return target
