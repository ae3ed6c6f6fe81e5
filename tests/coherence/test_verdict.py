"""The verdict on histories made by hand: each violation is found, and what only looks like one is not."""

import pytest

from coherence.history import (
    FAILED,
    FRESH,
    LONGEST_RUN,
    MISSING,
    NEVER,
    STALE,
    UNSAID,
    Faults,
    Fork,
    Read,
    Recorder,
    Span,
    Swap,
    Write,
    load,
)
from coherence.verdict import REDIS, judge

BOUND = 2


def span(begin, end=None):
    return Span(begin, begin if end is None else end)


def write(value, begin, end=None, process="writer"):
    return Write(process, value, span(begin, end))


def unknown(value, begin, process="writer"):
    return Write(process, value, Span(begin, NEVER))


def read(value, begin, end=None, freshness=FRESH, process="reader"):
    return Read(process, value, freshness, span(begin, end), span(begin, end))


def kinds(*history, wipes=(), swaps=(), forks=None):
    """What is found, in the order of the reads. The writes and reads may be given in any."""
    writes = [each for each in history if isinstance(each, Write)]
    reads = [each for each in history if isinstance(each, Read)]
    found = judge("NAME", writes, reads, Faults(tuple(wipes), tuple(swaps)), forks or {}, BOUND)
    return [violation.kind for violation in found]


# --- Age


def test_a_value_may_be_read_fresh_for_the_bound_after_it_was_superseded():
    assert kinds(write("a", 1), write("b", 10, 11), read("a", 13)) == []


def test_a_value_read_fresh_after_that_is_old():
    assert kinds(write("a", 1), write("b", 10, 11), read("a", 14)) == ["old"]


def test_a_value_reported_stale_may_be_of_any_age():
    assert kinds(write("a", 1), write("b", 10, 11), read("a", 99, freshness=STALE)) == []


def test_a_read_whose_freshness_nobody_asked_for_may_be_of_any_age():
    assert kinds(write("a", 1), write("b", 10, 11), read("a", 99, freshness=UNSAID)) == []


def test_a_read_that_took_long_began_in_time():
    assert kinds(write("a", 1), write("b", 10, 11), read("a", 12, 99)) == []


def test_in_a_run_of_reads_the_last_is_judged_too():
    run = Read("reader", "a", FRESH, span(12), span(14), count=100)
    assert kinds(write("a", 1), write("b", 10, 11), run) == ["old"]


def test_a_write_of_unknown_outcome_supersedes_nothing():
    assert kinds(write("a", 1), unknown("b", 10), read("a", 99)) == []


def test_a_write_of_unknown_outcome_may_take_effect_at_any_time():
    assert kinds(unknown("a", 1), write("b", 10, 11), read("b", 12), read("a", 99)) == []


def test_of_two_writes_at_the_same_time_either_may_have_been_the_last():
    assert kinds(write("a", 10, 20), write("b", 12, 13, process="other"), read("a", 99)) == []
    assert kinds(write("a", 10, 20), write("b", 12, 13, process="other"), read("b", 99)) == []


def test_the_earliest_acknowledgement_supersedes_whichever_write_began_first():
    slow, quick = write("b", 10, 50), write("c", 12, 13, process="other")
    assert kinds(write("a", 1), slow, quick, read("a", 16)) == ["old"]


def test_a_value_from_nowhere_is_invented():
    assert kinds(read("a", 5)) == ["invented"]


def test_a_value_read_before_its_write_began_is_invented():
    assert kinds(write("a", 10), read("a", 5)) == ["invented"]


# --- Nothing


def test_before_the_first_write_there_may_be_nothing():
    assert kinds(write("a", 10, 11), read(MISSING, 13)) == []


def test_nothing_is_absent_when_redis_has_held_something_for_the_bound():
    assert kinds(write("a", 10, 11), read(MISSING, 14)) == ["absent"]


def test_nothing_is_not_absent_if_the_reader_was_told_that_it_may_be_stale():
    assert kinds(write("a", 10, 11), read(MISSING, 14, freshness=STALE)) == []


def test_who_has_read_a_value_never_reads_nothing_again():
    assert kinds(write("a", 1), read("a", 2), read(MISSING, 3, freshness=STALE)) == ["forgotten"]


def test_who_has_written_a_value_never_reads_nothing_again():
    assert kinds(write("a", 1), read(MISSING, 3, freshness=STALE, process="writer")) == ["forgotten"]


def test_what_another_process_knew_is_not_forgotten_by_this_one():
    assert kinds(write("a", 1), read("a", 2, process="other"), read(MISSING, 3, freshness=STALE)) == []


def test_a_read_that_raises_is_a_failure_once_the_name_is_known():
    assert kinds(write("a", 1), read("a", 2), read(FAILED, 3, freshness=UNSAID)) == ["failed"]


def test_a_read_that_raises_is_none_before():
    assert kinds(write("a", 1), read(FAILED, 3, freshness=UNSAID)) == []


# --- Backward


@pytest.mark.parametrize("freshness", [FRESH, STALE, UNSAID])
def test_who_has_read_the_newer_value_never_reads_the_older_one(freshness):
    history = write("a", 1), write("b", 3, 4), read("b", 5), read("a", 6, freshness=freshness)
    assert kinds(*history) == ["backward"]


def test_who_has_read_the_newer_value_as_stale_never_reads_the_older_one():
    assert kinds(write("a", 1), write("b", 3, 4), read("b", 5, freshness=STALE), read("a", 6)) == ["backward"]


def test_who_has_written_the_newer_value_never_reads_the_older_one():
    assert kinds(write("a", 1), write("b", 3, 4), read("a", 5, process="writer")) == ["backward"]


def test_another_process_may_still_read_the_older_one():
    assert kinds(write("a", 1), write("b", 3, 4), read("b", 5), read("a", 6, process="other")) == []


def test_two_reads_at_the_same_time_are_in_no_order():
    assert kinds(write("a", 1), write("b", 3, 4), read("b", 5, 7), read("a", 6, 8)) == []


def test_values_written_at_the_same_time_are_in_no_order():
    assert kinds(write("a", 1, 5), write("b", 3, 6, process="other"), read("b", 7), read("a", 8)) == []


def test_who_has_failed_to_write_a_value_does_not_know_it():
    assert kinds(write("a", 1), unknown("b", 3), read("a", 5, process="writer")) == []


def test_a_step_back_is_found_behind_many_steps_forward():
    writes = [write(str(number), number * 10, number * 10 + 1) for number in range(1, 100)]
    reads = [read(each.value, each.span.end) for each in writes]
    assert kinds(*writes, *reads, read("98", 995, freshness=STALE)) == ["backward"]


def test_a_child_knows_what_its_parent_knew():
    history = write("a", 1), write("b", 3, 4), read("b", 5), read("a", 8, freshness=STALE, process="child")
    assert kinds(*history, forks={"child": Fork("reader", 7)}) == ["backward"]


def test_a_child_of_a_child_knows_it_too():
    history = write("a", 1), write("b", 3, 4), read("b", 5), read("a", 10, freshness=STALE, process="grandchild")
    assert kinds(*history, forks={"grandchild": Fork("child", 8), "child": Fork("reader", 7)}) == ["backward"]


def test_a_child_does_not_know_what_its_parent_read_later():
    history = write("a", 1), write("b", 3, 4), read("b", 8), read("a", 9, freshness=STALE, process="child")
    assert kinds(*history, forks={"child": Fork("reader", 7)}) == []


# --- Redis is emptied


def test_after_a_wipe_a_value_may_be_read_fresh_for_the_bound():
    assert kinds(write("a", 1), read("a", 12), wipes=[span(9, 10)]) == []


def test_a_value_that_redis_lost_is_not_fresh():
    assert kinds(write("a", 1), read("a", 13), wipes=[span(9, 10)]) == ["old"]


def test_a_value_that_redis_lost_is_served_as_stale():
    assert kinds(write("a", 1), read("a", 5), read("a", 99, freshness=STALE), wipes=[span(9, 10)]) == []


def test_a_wipe_is_no_excuse_to_forget():
    assert kinds(write("a", 1), read("a", 5), read(MISSING, 13), wipes=[span(9, 10)]) == ["forgotten"]


def test_a_wipe_is_no_excuse_to_go_back():
    history = write("a", 1), write("b", 3, 4), read("b", 5), read("a", 20, freshness=STALE)
    assert kinds(*history, wipes=[span(9, 10)]) == ["backward"]


def test_who_knew_nothing_finds_nothing_after_a_wipe():
    assert kinds(write("a", 1), read(MISSING, 99), wipes=[span(9, 10)]) == []


def test_what_is_written_after_a_wipe_is_there():
    assert kinds(write("a", 1), write("b", 20, 21), read(MISSING, 24), wipes=[span(9, 10)]) == ["absent"]


def test_a_write_during_a_wipe_may_have_survived_it():
    assert kinds(write("a", 8, 10), read("a", 99), wipes=[span(9, 10)]) == []
    assert kinds(write("a", 8, 10), read(MISSING, 99), wipes=[span(9, 10)]) == []


# --- The database is swapped away and back

SWAP = Swap(span(10, 11), span(20, 21))


def test_what_was_put_aside_is_not_fresh_after_the_bound():
    assert kinds(write("a", 1), read("a", 13), read("a", 14), swaps=[SWAP]) == ["old"]


def test_what_was_put_aside_is_fresh_again_when_it_is_back():
    assert kinds(write("a", 1), read("a", 14, freshness=STALE), read("a", 20), read("a", 99), swaps=[SWAP]) == []


def test_what_was_written_meanwhile_is_fresh_for_the_bound_after_the_swap():
    assert kinds(write("a", 1), write("b", 12, 13), read("b", 23), swaps=[SWAP]) == []


def test_what_was_written_meanwhile_is_gone_after_that():
    assert kinds(write("a", 1), write("b", 12, 13), read("b", 24), swaps=[SWAP]) == ["old"]


def test_what_was_written_meanwhile_superseded_nothing_that_is_back():
    assert kinds(write("a", 1), write("b", 12, 13), read("a", 99), swaps=[SWAP]) == []


def test_what_was_written_meanwhile_is_superseded_meanwhile():
    assert kinds(write("a", 12), write("b", 13, 14), read("a", 17), swaps=[SWAP]) == ["old"]


def test_to_go_back_with_the_database_is_no_step_back():
    assert kinds(write("a", 1), write("b", 12, 13), read("b", 14), read("a", 22), swaps=[SWAP]) == []


def test_to_go_back_before_the_database_does_is_one():
    history = write("a", 1), write("b", 12, 13), read("b", 14), read("a", 15, freshness=STALE)
    assert kinds(*history, swaps=[SWAP]) == ["backward"]


def test_to_go_back_among_what_was_written_meanwhile_is_one():
    assert kinds(write("a", 12), write("b", 14, 15), read("b", 16), read("a", 22, freshness=STALE), swaps=[SWAP]) == [
        "backward"
    ]


def test_to_go_back_after_a_write_since_the_swap_is_one():
    history = write("a", 1), write("b", 12, 13), write("c", 22, 23), read("c", 24), read("a", 25, freshness=STALE)
    assert kinds(*history, swaps=[SWAP]) == ["backward"]


def test_a_write_at_the_edge_of_a_swap_may_be_in_either_database():
    for begin, end in [(10, 12), (19, 20)]:
        assert kinds(write("a", 1), write("b", begin, end), read("b", 99), swaps=[SWAP]) == []
        assert kinds(write("a", 1), write("b", begin, end), read("a", 99), swaps=[SWAP]) == []


def test_in_a_swapped_database_there_is_nothing_at_first():
    assert kinds(write("a", 1), read(MISSING, 15), swaps=[SWAP]) == []


# --- Redis itself


def test_redis_must_hold_the_last_acknowledged_write():
    assert kinds(write("a", 1), write("b", 3, 4), read("b", 5, process=REDIS)) == []
    assert kinds(write("a", 1), write("b", 3, 4), read("a", 5, process=REDIS)) == ["lost"]


def test_redis_may_hold_a_later_write_of_unknown_outcome():
    assert kinds(write("a", 1), unknown("b", 3), read("b", 5, process=REDIS)) == []


def test_redis_may_hold_nothing_only_where_nothing_was_kept():
    assert kinds(write("a", 1), read(MISSING, 5, process=REDIS)) == ["lost"]
    assert kinds(write("a", 1), read(MISSING, 5, process=REDIS), wipes=[span(3, 4)]) == []


def test_redis_itself_may_go_back_with_its_database():
    history = write("a", 1), write("b", 12, 13), read("b", 14, process=REDIS), read("a", 22, process=REDIS)
    assert kinds(*history, swaps=[SWAP]) == []


# --- Records


def test_what_is_recorded_is_what_is_loaded(tmp_path):
    recorder = Recorder(tmp_path, "reader")
    recorder.begin_write("NAME", "a", 1)
    recorder.end_write("NAME", "a", 2)
    recorder.begin_write("NAME", "b", 3)
    recorder.read("NAME", "a", FRESH, span(4, 5))
    recorder.flush()
    assert load(tmp_path, "NAME") == (
        [write("a", 1, 2, process="reader"), unknown("b", 3, process="reader")],
        [read("a", 4, 5)],
    )


def test_equal_reads_are_one_run_until_something_changes(tmp_path):
    recorder = Recorder(tmp_path, "reader")
    for time in (1, 2, 3):
        recorder.read("NAME", "a", FRESH, span(time))
    recorder.read("NAME", "a", STALE, span(4))
    recorder.read("NAME", "b", STALE, span(5))
    recorder.flush()
    _, reads = load(tmp_path, "NAME")
    assert reads == [
        Read("reader", "a", FRESH, span(1), span(3), 3),
        read("a", 4, freshness=STALE),
        read("b", 5, freshness=STALE),
    ]


def test_a_long_run_is_recorded_in_pieces(tmp_path):
    recorder = Recorder(tmp_path, "reader")
    times = 0, LONGEST_RUN // 2, LONGEST_RUN, LONGEST_RUN + 1
    for time in times:
        recorder.read("NAME", "a", FRESH, span(time))
    recorder.flush()
    _, reads = load(tmp_path, "NAME")
    assert [(each.first.begin, each.last.end, each.count) for each in reads] == [
        (0, LONGEST_RUN // 2, 2),
        (LONGEST_RUN, LONGEST_RUN + 1, 2),
    ]
