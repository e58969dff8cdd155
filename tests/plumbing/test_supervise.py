"""The supervisor: restarts what ends, ends what it started, and takes its children along when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bposite.plumbing.supervise import Child, Supervisor
from tests.conftest import REPO

LEAF = "import sys, time; from bposite.plumbing.supervise import stop_on_signals; s = stop_on_signals();" + (
    "open(sys.argv[1], 'a').write('x'); s.wait(60)"
)


def wait_for(what: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]


def test_a_child_that_ends_is_started_again_and_all_end_with_stop(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = Child("leaf", [sys.executable, "-c", LEAF, str(mark)])
    supervisor, stop = Supervisor([child]), threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    wait_for(lambda: mark.exists() and mark.read_text() == "x")
    assert child.process is not None
    child.process.kill()
    wait_for(lambda: mark.read_text() == "xx")
    pid = child.process.pid
    stop.set()
    thread.join(15)
    assert not alive(pid)


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    mark, pid_file = tmp_path / "mark", tmp_path / "pid"
    program = textwrap.dedent(f"""
        import sys, threading
        from bposite.plumbing.supervise import Child, Supervisor
        child = Child("leaf", [sys.executable, "-c", {LEAF!r}, {str(mark)!r}])
        supervisor = Supervisor([child])
        supervisor.start()
        open({str(pid_file)!r}, "w").write(str(child.process.pid))
        threading.Event().wait(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=REPO)
    wait_for(lambda: mark.exists() and pid_file.exists() and pid_file.read_text() != "")
    pid = int(pid_file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    wait_for(lambda: not alive(pid))
