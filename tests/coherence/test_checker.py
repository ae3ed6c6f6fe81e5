"""Processes share settings over a Redis that breaks all the time, and see no wrong answer. And the checker sees wrong ones.

`make soak` runs this for longer.
"""

import random

import pytest

from coherence.run import run

SECONDS = 60  # every kind of fault comes at least once in about fifty
SECONDS_TO_ERR = 10

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def seed(new_redis_server):
    """Another one each time; the outcome says which. Where there is no Redis, the test is none."""
    return random.SystemRandom().randrange(1_000_000)


def test_through_whatever_happens_to_redis_processes_read_nothing_wrong(seed, capsys):
    outcome = run(SECONDS, seed)
    assert not outcome.violations, str(outcome)
    assert not outcome.not_converged, str(outcome)
    with capsys.disabled():
        print(f"\n{outcome}")


def test_a_client_without_a_cache_is_found_to_be_right(seed):
    outcome = run(SECONDS_TO_ERR, seed, "direct")
    assert not outcome.violations, str(outcome)
    assert not outcome.not_converged, str(outcome)


def test_a_hasty_cache_is_found_to_be_wrong(seed):
    outcome = run(SECONDS_TO_ERR, seed, "hasty")
    assert {"old", "backward"} <= {violation.kind for violation in outcome.violations}, str(outcome)
