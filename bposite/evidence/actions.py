"""Asking for a verification and carrying it out in the background, with progress that a page can show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy import update

from bposite.evidence.tables import Verification
from bposite.journal import queries as journal
from bposite.journal.proof import Witness, verify
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.plumbing import jobs
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.ids import new_id

JOB = "evidence:verify"
LEASE_S = 3600.0
MOST_PROBLEMS = 200  # shown; the first one is what matters, and a broken journal can have millions


def ask_verification(work: Work) -> str:
    """Ask for a run over the whole journal; returns its id. A run that waits already is not asked for twice."""
    row = Verification(
        id=new_id(), asked_at=work.now, asked_by=work.actor.name, state="waiting", done=0,
        total=journal.size(work.session), problems=[],
    )  # fmt: skip
    work.session.add(row)
    jobs.enqueue(work.session, JOB, row.id, {"id": row.id})
    work.record("evidence:verification:asked", subject=row.id)
    return row.id


def run_waiting(witnesses: Sequence[Witness]) -> int:
    """Carry out the verifications that wait; returns how many. One that breaks off is marked and not tried again."""
    claimed = jobs.claim([JOB], lease_s=LEASE_S, limit=1)
    for job in claimed:
        _run(job, str(job.payload["id"]), witnesses)
    return len(claimed)


def _run(job: jobs.Job, run_id: str, witnesses: Sequence[Witness]) -> None:
    try:
        with reading() as session:
            found = verify(session, witnesses, progress=_progress(run_id))
            problems = [[problem.record, problem.what] for problem in islice(found, MOST_PROBLEMS)]
            size = journal.size(session)
        state = "problems" if problems else "agrees"
    except Exception as error:  # noqa: BLE001 -- the edge of a background job: told on the page, not hidden in a log
        problems, size, state = [["verification", f"broke off: {type(error).__name__}: {error}"]], 0, "failed"
    with unit_of_work(Actor.system("evidence")) as work:
        values = {"state": state, "problems": problems, "done": size, "total": size, "ended_at": work.now}
        work.session.execute(update(Verification).where(Verification.id == run_id).values(**values))
        jobs.finish(work.session, job.id)
        work.record("evidence:verification:ended", subject=run_id, data={"state": state, "problems": problems[:5]})


def _progress(run_id: str) -> Callable[[int], None]:
    told = now()

    def tell(done: int) -> None:
        nonlocal told
        if (now() - told).total_seconds() < 1:
            return
        told = now()
        with transaction() as session:
            session.execute(update(Verification).where(Verification.id == run_id).values(state="running", done=done))

    return tell
