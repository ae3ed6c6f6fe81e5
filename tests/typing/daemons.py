"""Daemons: what they are spawned with and what is seen of them. Checked, never run."""

from typing import assert_type

from jaseci.svc import CommonService, DaemonInfo, StopSignal


class Poller(CommonService):
    def post_run(self) -> None:
        self.spawn_daemon(polling=self.poll_for_ever, counting=lambda: 3)
        self.spawn_daemon(needs_arguments=self.poll)  # type: ignore[arg-type]
        self.spawn_daemon(self.poll_for_ever)  # type: ignore[call-arg]

    def poll_for_ever(self) -> None:
        assert_type(self.stop_requested, StopSignal)
        while not self.stop_requested:
            self.poll("again")
            if self.stop_requested.wait(0.5) or self.stop_requested.is_set():
                return
        self.stop_requested.set()  # type: ignore[attr-defined]

    def poll(self, how: str) -> None:
        self.terminate_daemon("polling", "counting")
        self.terminate_daemon(self.poll_for_ever)  # type: ignore[arg-type]


def look_at(poller: Poller) -> None:
    for daemon in poller.daemons():
        assert_type(daemon, DaemonInfo)
        assert_type((daemon.name, daemon.alive, daemon.since, daemon.last_error), tuple[str, bool, float, str | None])
        daemon.alive = False  # type: ignore[misc]
