"""A cameras process that is killed between the file of a clip and its row: run by test_links.py, by path.

python victim.py STATE_DIR BEFORE_US AFTER_US DEADLINE_US
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bposite.cameras.places import evidence_store
from bposite.cameras.rules.frames import LinkPolicy
from bposite.cameras.worker.fleet import Fleet
from bposite.cameras.worker.linker import Linker
from bposite.plumbing.db import reading
from bposite.plumbing.settings import Settings, Site, Web
from bposite.wiring import open_site


def main() -> None:
    """Link until the second file, which is the clip (the first is the picture); then die at once."""
    state_dir, before, after, deadline = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    site = Site(id="pune-1", name="Pune Contact Centre", zone="Asia/Kolkata")
    open_site(settings=Settings(state_dir=state_dir, site=site, web=Web(port=1), log_level="error"))
    files = []

    def die() -> None:
        files.append(1)
        if len(files) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    fleet = Fleet()
    with reading() as session:
        fleet.sync(session)
    linker = Linker(fleet, evidence_store(), LinkPolicy(before, after, deadline), after_file=die)
    while True:
        linker.step()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
