"""A listener in a process of its own, to be killed. Usage: listening.py STATE_DIR DATABASE_URL MQTT_PORT"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from flask import Flask

from bposite.doors import listener
from bposite.plumbing import db
from bposite.plumbing.logs import configure_logs
from bposite.plumbing.settings import Mqtt, Settings, Site, configure


def main() -> None:
    """Run until SIGTERM."""
    state, url, port = sys.argv[1:4]
    settings = Settings(
        state_dir=Path(state),
        database_url=url,
        site=Site(id="pune-1", zone="Asia/Kolkata"),
        mqtt=Mqtt(port=int(port), embedded=False),
    )
    configure(settings)
    configure_logs(os.environ.get("LISTENING_LOG", "warning"))
    db.bind(Flask("listening"), settings.database)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    listener.run(stop)
    db.close()


if __name__ == "__main__":
    main()
