"""Threads that hand back what became of them."""

import threading

from behaviour.services import PATIENCE


class Going(threading.Thread):
    """Calls `action` on a thread of its own, at once."""

    def __init__(self, action, *args, name=None):
        super().__init__(name=name, daemon=True)
        self._action, self._args = action, args
        self.outcome = None
        self.start()

    def run(self):
        try:
            self.outcome = self._action(*self._args)
        except BaseException as error:
            self.outcome = error

    def ended(self):
        """What it returned or raised."""
        self.join(PATIENCE)
        assert not self.is_alive(), f"{self.name} hangs"
        return self.outcome


def together(count, action):
    """Calls `action(number)` on `count` threads, all let go by one barrier; what each returned or raised."""
    barrier = threading.Barrier(count)

    def go(number):
        barrier.wait(PATIENCE)
        return action(number)

    threads = [Going(go, number) for number in range(count)]
    return [thread.ended() for thread in threads]


class Crowd:
    """Counts who arrives, so that a `run` can wait until everybody is on the way in."""

    def __init__(self, size):
        self._missing = size
        self._condition = threading.Condition()

    def arrive(self):
        with self._condition:
            self._missing -= 1
            self._condition.notify_all()

    def wait_until_complete(self):
        with self._condition:
            assert self._condition.wait_for(lambda: self._missing <= 0, PATIENCE)
