"""Durable jobs on both databases: asked for once, claimed by one, taken over after the lease."""

from __future__ import annotations

import threading
from datetime import timedelta

from flask import Flask

from bposite.plumbing import jobs
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction


def ask(*keys: str) -> None:
    with transaction() as session:
        for key in keys:
            jobs.enqueue(session, "test", key, {"key": key})


def test_the_same_job_is_asked_for_once(any_site: Flask) -> None:
    ask("a", "a", "b")
    assert [job.key for job in jobs.claim(["test"], lease_s=60, limit=10)] == ["a", "b"]
    assert jobs.claim(["test"], lease_s=60, limit=10) == []


def test_a_lost_lease_gives_the_job_to_another(any_site: Flask) -> None:
    ask("a")
    (first,) = jobs.claim(["test"], lease_s=-1, limit=1)
    (second,) = jobs.claim(["test"], lease_s=60, limit=1)
    assert (first.id, first.attempts, second.attempts) == (second.id, 1, 2)


def test_finish_retry_and_giving_up(any_site: Flask) -> None:
    ask("a", "b", "c")
    a, b, c = jobs.claim(["test"], lease_s=60, limit=3)
    with transaction() as session:
        jobs.finish(session, a.id)
        jobs.retry(session, b.id, "later", now() - timedelta(seconds=1))
        jobs.give_up(session, c.id, "x" * 5000)
    assert [job.key for job in jobs.claim(["test"], lease_s=60, limit=3)] == ["b"]
    with reading() as session:
        assert jobs.counts(session) == {("test", "waiting"): 1, ("test", "failed"): 1}


def test_four_workers_do_each_job_once(any_site: Flask) -> None:
    ask(*(f"{number:03}" for number in range(120)))
    done: list[str] = []

    def worker() -> None:
        while batch := jobs.claim(["test"], lease_s=60, limit=7):
            with transaction() as session:
                for job in batch:
                    jobs.finish(session, job.id)
            done.extend(job.key for job in batch)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [f"{number:03}" for number in range(120)]
