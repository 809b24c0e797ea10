"""What is told of a load: each row counted once, whoever loads it; a log hears of long tables alone."""

from concurrent.futures import ThreadPoolExecutor

from seed.load.progress import Lines, Tally


def test_workers_together_count_every_row_and_are_heard_one_at_a_time():
    heard = []
    tally = Tally(lambda name, done, total: heard.append((name, done, total)), "readings", 4_000)
    with ThreadPoolExecutor(4) as workers:
        for _ in range(400):
            workers.submit(tally.add, 10)
    assert tally.done == 4_000
    assert heard == [("readings", done, 4_000) for done in range(10, 4_001, 10)]


def test_a_log_has_a_line_for_each_tenth_of_a_long_table_and_none_for_others():
    log = []
    lines = Lines(log.append, least=1_000)
    for done in range(0, 10_001, 100):
        lines.hear("environmental_readings", done, 10_000)
        lines.hear("users", min(done, 5), 5)
    assert log == [f"environmental_readings: {tenth * 1_000:,} of 10,000" for tenth in range(1, 11)]
