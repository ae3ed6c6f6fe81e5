"""``python -m bench [word ...]``: the table, or of the questions that have one of the words in their module's name."""

import sys
from importlib import import_module

from bench.harness import Answer

QUESTIONS = (
    "cached_service",
    "state_check",
    "config_read",
    "build_and_start",
    "daemon",
    "memory",
    "many_names",
    "many_threads",
    "manifest_load",
    "redis_read",
    "redis_change",
    "redis_down",
    "supervision",
)

COLUMNS = "{:<40} {:>10} {:>14} {:>7} {:>8}  {}"


def main(words: list[str]) -> None:
    print(COLUMNS.format("question", "ours", "rival", "ratio", "target", "verdict"), flush=True)
    for question in QUESTIONS:
        if not words or any(word in question for word in words):
            for answer in import_module(f"bench.{question}").answers():
                print(_line(answer), flush=True)


def _line(answer: Answer) -> str:
    target = "" if answer.target is None else f"{answer.target:.3g}"
    return COLUMNS.format(answer.question, answer.ours, answer.rival, f"{answer.ratio:.3f}", target, answer.verdict)


if __name__ == "__main__":
    main(sys.argv[1:])
