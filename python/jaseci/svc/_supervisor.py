"""Supervision: the threads that do what the core's supervisor decides.

One timekeeper waits for what happens and for what is due. Tenders start, reset and stop services, checkers ask them how
they are. All call users' code from Python frames. With a clock that is set by hand there are no threads: everything is
done by whoever moves the clock.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from jaseci.svc import _daemons
from jaseci.svc._core import SupervisorCore, Task, clock_is_manual, is_closed, mark_failed
from jaseci.svc._crew import Crew
from jaseci.svc._health import NoAnswer, examine
from jaseci.svc._log import describe, report
from jaseci.svc._policy import needs_of, policy_of
from jaseci.svc.errors import DependencyFailed, RestartLimitReached, RuntimeClosed

if TYPE_CHECKING:
    from jaseci.svc._core import Policy
    from jaseci.svc._systemd import Heart
    from jaseci.svc.common import CommonService
    from jaseci.svc.meta import MetaService

    Service = CommonService[Any]
    Spec = tuple[str, list[str], list[str], Policy]

MOST_TASKS = 256
"""How many services are started, reset or stopped at a time, at most."""

MOST_CHECKS = 32
"""How many health checks are made at a time, at most; those that hang do not count."""

CHECKS_EACH = 8
"""How many due checks are left to one thread before another one helps."""

JOIN_TIMEOUT = 1.0
"""How long the end of the supervisor's threads is waited for, in seconds."""

AFTER_AN_ERROR = 1.0
"""How long the timekeeper pauses after an error of its own, in seconds."""


class Supervision:
    """The supervision of a process. Lives from the first ``supervise()`` to the shutdown."""

    def __init__(self, meta: "MetaService") -> None:
        self._meta = meta
        self.is_manual = clock_is_manual()
        self.core = SupervisorCore(process.manual_jitter if self.is_manual else random.getrandbits(64))
        self._tenders = Crew("jaseci.svc/tender", MOST_TASKS, self._tend)
        self._checkers = Crew("jaseci.svc/checker", MOST_CHECKS, self._check)
        self._timekeeper: threading.Thread | None = None
        self._has_ended = threading.Event()
        # Checks that hang, where the clock is set by hand.
        self._unanswered: list[int] = []

    def begin(self) -> None:
        """Starts the timekeeper, unless it is there."""
        if self.is_manual or self._timekeeper is not None:
            return
        self._timekeeper = threading.Thread(target=self._keep_time, name="jaseci.svc/supervisor", daemon=True)
        self._timekeeper.start()

    def plan(self, specs: "list[Spec]", names: set[str] | None) -> None:
        """Takes the services of these names into the plan, with all that they require. None: all services, and those that
        were stopped or given up are to run again."""
        known = sorted(spec[0] for spec in specs)
        if names is None:
            self.core.plan(specs, known)
            self.core.resume()
            return
        requires = {name: required for name, required, _, _ in specs}
        chosen: set[str] = set()
        ahead = [*self.core.names(), *names]
        while ahead:
            name = ahead.pop()
            if name not in chosen and name in requires:
                chosen.add(name)
                ahead += requires[name]
        # What is registered and not chosen is nobody's to wait for.
        unchosen = requires.keys() - chosen
        self.core.plan(
            [
                (name, required, [each for each in wants if each not in unchosen], policy)
                for name, required, wants, policy in specs
                if name in chosen
            ],
            known,
        )

    def settle(self, timeout: float | None) -> bool:
        """Waits until every service is RUNNING or has failed; whether that is so within ``timeout`` seconds. Where the clock is
        set by hand, nothing more happens without it."""
        self.pump()
        return self.is_manual or self.core.wait_until_settled(timeout)

    def pump(self) -> int | None:
        """Has done what is due. Returns when to look again, by the supervisor's clock, in nanoseconds."""
        return self._do_all() if self.is_manual else self._hand_out()

    def answer_late(self) -> None:
        """The checks that hang answer: all is well."""
        while self._unanswered:
            self.core.check_done(self._unanswered.pop(0), None)
        self.pump()

    def end(self) -> None:
        """Nothing is done any more; waits for nothing."""
        self.core.close()
        self._has_ended.set()
        self._tenders.close()
        self._checkers.close()

    def wait_until_over(self) -> None:
        """Waits for the end."""
        self._has_ended.wait()

    def join(self) -> None:
        """After the end: waits a little for the threads."""
        deadline = time.monotonic() + JOIN_TIMEOUT
        keeper = self._timekeeper
        if keeper is not None and keeper is not threading.current_thread():
            keeper.join(JOIN_TIMEOUT)
        for crew in (self._tenders, self._checkers):
            crew.join(max(deadline - time.monotonic(), 0))

    # ------------------------------------------------------------------ the timekeeper

    def _keep_time(self) -> None:
        wake = self._hand_out()
        while not self.core.is_closed():
            try:
                self._observe(self.core.wait_for_news(_beat(wake)))
                wake = self._hand_out()
            except Exception as error:
                report(logging.ERROR, f"The supervisor goes on after {describe(error)}", error)
                self._has_ended.wait(AFTER_AN_ERROR)

    def _hand_out(self) -> int | None:
        tasks, checks, hanging, wake = self.core.advance()
        self._log()
        if tasks:
            self._tenders.summon(tasks)
        if checks:
            self._checkers.summon(1 + checks // CHECKS_EACH, hanging)
        return wake

    def _do_all(self) -> int | None:
        while True:
            self._observe(self.core.changed())
            *_, wake = self.core.advance()
            self._log()
            if not self._tend() and not self._check():
                return wake

    def _log(self) -> None:
        for level, text in self.core.lines():
            report(level, text)

    def _observe(self, names: Iterable[str]) -> None:
        registry = self._meta._app
        if registry is None:
            return
        for name in names:
            service = registry.background.get(name)
            if service is None:
                self.core.observe(name, None, None, None)
            else:
                policy = _own_policy(service) if service.is_running() else None
                self.core.observe(name, service, policy, _failure(service))

    # ------------------------------------------------------------------ the crews

    def _tend(self) -> bool:
        task = self.core.take_task()
        if task is None:
            return False
        service, policy, failure = None, None, None
        try:
            service = self._meta.get_service(task.service)
            if service is None:
                failure = "it is not registered any more"
            else:
                failure = _ACTIONS[task.kind](service, task) or _failure(service)
                policy = _own_policy(service)
        except BaseException as error:
            failure = describe(error)
        self.core.task_done(task.token, service, policy, failure)
        if not self.is_manual:
            self._hand_out()
        return True

    def _check(self) -> bool:
        check = self.core.take_check()
        if check is None:
            return False
        token, service = check
        try:
            reason = examine(service)
        except NoAnswer as error:
            if self.is_manual:
                self._unanswered.append(token)
                return True
            reason = describe(error)
        follows = self.core.check_done(token, reason)
        if follows and not self.is_manual:
            self._hand_out()
        return True


# ---------------------------------------------------------------------- what is done


def _start(service: "Service", _: Task) -> None:
    if service.enabled:
        if service.has_failed():
            service.reset(None)
        else:
            service.start()


def _restart(service: "Service", _: Task) -> None:
    service.reset(None)


def _stop(service: "Service", task: Task) -> None:
    service.stop()
    if service.is_ready():
        service.error = DependencyFailed(f"service {service._name!r} {task.detail}")


def _block(service: "Service", task: Task) -> None:
    if service.enabled:
        mark_failed(service, DependencyFailed(f"service {service._name!r} {task.detail}"), task.detail)


def _give_up(service: "Service", task: Task) -> None:
    if service.state.is_running():
        service.stop()
    history = task.history
    past = "; ".join(f"{ago:.1f} s ago: {cause}" for ago, cause in history) or "none"
    error = RestartLimitReached(
        f"service {service._name!r} is given up, it was restarted too often ({past}), and now: {task.detail}; "
        "mend the cause and reset it",
        history,
    )
    error.__cause__ = service.error
    mark_failed(service, error, task.detail)


def _restart_daemon(service: "Service", task: Task) -> str | None:
    return _daemons.respawn(service, task.detail)


_ACTIONS: "dict[str, Callable[[Service, Task], str | None]]" = {
    "start": _start,
    "restart": _restart,
    "stop": _stop,
    "block": _block,
    "give up": _give_up,
    "restart daemon": _restart_daemon,
}


def _failure(service: "Service") -> str | None:
    """Why a service is FAILED; None if it is not."""
    if not service.has_failed():
        return None
    error = service.error
    return "it is FAILED" if error is None else describe(error)


def _own_policy(service: "Service") -> "Policy | None":
    """The policy as the service itself says, which may know it from its config."""
    try:
        return policy_of(service, service._name)
    except Exception as error:
        report(logging.ERROR, f"Supervision of service {service._name!r} goes by its class: {describe(error)}")
        return None


# ---------------------------------------------------------------------- the process's supervision


class _Process:
    """What there is one of in a process."""

    def __init__(self) -> None:
        self.changing = threading.Lock()
        self.supervision: Supervision | None = None
        # Where a supervision under a clock set by hand has its jitter from; None: it has none.
        self.manual_jitter: int | None = None
        # Where the timekeeper gives signs of life.
        self.heart: Heart | None = None


process = _Process()


def supervise(meta: "MetaService", timeout: float | None) -> None:
    """Supervises all registered services. Returns once each is RUNNING or has failed.

    Raises ``DependencyError``, ``RuntimeClosed``, and ``TimeoutError`` after ``timeout`` seconds, after which supervision
    goes on.
    """
    supervision = _joined(meta, None)
    has_settled = supervision.settle(timeout)
    if supervision.core.is_closed():
        raise RuntimeClosed("supervision has ended: the service runtime was shut down meanwhile")
    if not has_settled:
        raise TimeoutError(f"not every service is RUNNING or has failed within {timeout} s; supervision goes on")


def keep_alive(meta: "MetaService", name: str, pause: float) -> None:
    """Supervises one service and all that it requires, and never gives it up: there are at most ``pause`` seconds between
    two attempts. Waits for nothing. Raises ``DependencyError`` and ``RuntimeClosed``."""
    supervision = process.supervision
    if supervision is None or name not in supervision.core.names():
        supervision = _joined(meta, {name})
    supervision.core.insist(name, pause)
    supervision.pump()


def let_go(name: str) -> None:
    """Ends what ``keep_alive`` began: from now on the service's own policy holds."""
    supervision = process.supervision
    if supervision is not None:
        supervision.core.insist(name, None)


def _joined(meta: "MetaService", names: set[str] | None) -> Supervision:
    classes = dict(meta.builders)
    specs = [(name, *needs_of(cls, name), policy_of(cls, name)) for name, cls in classes.items()]
    with process.changing:
        if is_closed():
            raise RuntimeClosed(
                "nothing is supervised: the service runtime was shut down; construct MetaService() anew"
            )
        supervision = process.supervision or Supervision(meta)
        supervision.plan(specs, names)
        process.supervision = supervision
    supervision.begin()
    return supervision


def take() -> Supervision | None:
    """Ends the supervision of this process, waiting for nothing, and returns it if it was on."""
    with process.changing:
        supervision, process.supervision = process.supervision, None
    if supervision is not None:
        supervision.end()
    return supervision


def wait_until_over() -> None:
    """Waits until the supervision of this process has ended, or returns at once where there is none."""
    supervision = process.supervision
    if supervision is not None:
        supervision.wait_until_over()


def beat_for(heart: "Heart | None") -> None:
    """Has the timekeeper give its signs of life there, from now on."""
    process.heart = heart
    supervision = process.supervision
    if supervision is not None:
        supervision.core.ring()


def _beat(wake: int | None) -> int | None:
    heart = process.heart
    return wake if heart is None else heart.beat(wake)


def _forget_in_child() -> None:
    # Its threads stayed in the parent, perhaps with one of these locks held.
    process.supervision, process.changing, process.heart = None, threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
