"""The second process: reads the setting, again and again, until its standard input is closed. Says what it sees."""

import json
import logging
import sys
import threading

from jaseci.svc import MetaService


def main() -> None:
    """One JSON object a line: whenever the setting or its freshness has changed, and once more at the end."""
    logging.getLogger("jaseci.svc").setLevel(logging.CRITICAL)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    meta = MetaService()
    state = {"number": 0, "stale": False, "reads": 0, "wrong": 0}
    while not over.is_set():
        told = meta.build_hook().explain("SHOP_CONFIG")
        number = -1 if told.value is None else json.loads(told.value)["number"]
        changed = (number, told.stale) != (state["number"], state["stale"])
        state["wrong"] += number < state["number"]
        state |= {"number": number, "stale": told.stale, "reads": state["reads"] + 1}
        if changed:
            show(state)
    show(state)
    meta.shutdown(timeout=10)


def show(state: dict[str, object]) -> None:
    """Tell the first process."""
    print(json.dumps(state), flush=True)


if __name__ == "__main__":
    main()
