"""Does ``get_service`` stay as fast when there are many names?"""

import itertools
from collections.abc import Iterator
from typing import Any

from jaseci.svc import CommonService, MetaService

from bench.harness import Answer, Snippet, best, duration

FEW, MANY = 10, 100_000


class Numbered(CommonService):
    """One of many."""


def _names(count: int) -> list[str]:
    return [f"bench-{number}" for number in range(count)]


def answers() -> Iterator[Answer]:
    meta: Any = MetaService()
    asked = itertools.cycle(_names(FEW))
    # The same ten names are asked for with few and with many registered; all are kept.
    statement = "meta.get_service(next(asked))"
    snippet = Snippet(statement, {"meta": meta, "asked": asked})
    _keep(meta, _names(FEW))
    rounds = [best(snippet)[0]]
    _keep(meta, _names(MANY))
    rounds.append(best(snippet)[0])
    _forget(meta, _names(MANY)[FEW:])
    rounds[0] = min(rounds[0], best(snippet)[0])
    _forget(meta, _names(FEW))
    few, many = rounds
    yield Answer("get_service, 100,000 names against 10", duration(many), duration(few), many / few, 1.15)


def _keep(meta: Any, names: list[str]) -> None:
    for name in names:
        meta.add_service_builder(name, Numbered, replace=True)
        meta.get_service(name)


def _forget(meta: Any, names: list[str]) -> None:
    for name in names:
        del meta.app.services[name], meta.app.background[name]
