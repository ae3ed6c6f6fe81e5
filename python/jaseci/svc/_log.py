"""Logging: the logger ``jaseci.svc``, without secrets, and also for those who listen on ``core``."""

import logging
import traceback

from jaseci.svc._core import mask

logger = logging.getLogger("jaseci.svc")


class _AlsoToCore(logging.Handler):
    """Hands each record to the handlers of the logger ``core``, which applications of the predecessor configure.

    A handler that gets the record anyway does not get it twice. It is the only handler of ours, and having one keeps
    ``logging`` from its last resort; so that errors are not silent where nothing is configured, it is used here.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        own = _handlers_towards_root(logging.getLogger(record.name))
        extra = [handler for handler in logging.getLogger("core").handlers if handler not in own]
        for handler in extra:
            if record.levelno >= handler.level:
                handler.handle(record)
        last_resort = logging.lastResort
        if not extra and own == [self] and last_resort is not None and record.levelno >= last_resort.level:
            last_resort.handle(record)
        return True


def _handlers_towards_root(start: logging.Logger) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    current: logging.Logger | None = start
    while current is not None:
        handlers += current.handlers
        current = current.parent if current.propagate else None
    return handlers


if not any(isinstance(handler, _AlsoToCore) for handler in logger.handlers):
    logger.addHandler(_AlsoToCore())


def describe(error: BaseException) -> str:
    """Type and message of an error, without secrets."""
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be made)"
    kind = type(error).__name__
    return mask(f"{kind}: {message}" if message else kind)


def report(level: int, message: str, error: BaseException | None = None) -> None:
    """Logs ``message``, with the traceback of ``error`` if there is one; both without secrets.

    Masked here, where the text is made: a handler would format the bare exception.
    """
    if not logger.isEnabledFor(level):
        return
    file, line, function, _ = logger.findCaller(stacklevel=2)
    record = logger.makeRecord(logger.name, level, file, line, mask(message), (), None, function)
    if error is not None:
        record.exc_text = mask("".join(traceback.format_exception(error)).rstrip())
    logger.handle(record)
