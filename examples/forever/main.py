"""A program that consists of services: it runs until it is told to stop. `python examples/forever/main.py`."""

from typing import Any, ClassVar

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService


class Queue(CommonService):
    """`app` would be a connection to a message broker."""

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return {"enabled": True}

    def run(self) -> None:
        self.app = []

    def stop(self) -> None:
        super().stop()
        print("queue stopped", flush=True)


class Worker(CommonService):
    """Takes messages from the queue; a daemon that dies or is silent for five seconds is run again."""

    requires = ("queue",)
    watchdog: ClassVar = {"worker": 5.0}

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return {"enabled": True, "quiet": True}

    def run(self) -> None:
        self.app = MetaService().get_service("queue").poke()

    def post_run(self) -> None:
        self.spawn_daemon(worker=self.work)

    def work(self) -> None:
        while not self.stop_requested.wait(1.0):
            self.alive()
            while self.app:
                print("worked on", self.app.pop(), flush=True)

    def stop(self) -> None:
        super().stop()
        print("worker stopped", flush=True)


def main() -> None:
    meta = MetaService()
    meta.add_service_builder("worker", Worker)
    meta.add_service_builder("queue", Queue)
    print("Ctrl-C stops it in order, twice ends it at once.", flush=True)
    meta.run_forever(timeout=10)
    print("Everything is stopped.", flush=True)


if __name__ == "__main__":
    main()
