"""The listener: messages of doors in, durable entries and answers out."""

from bposite.doors.listener.service import Listener, run

__all__ = ["Listener", "run"]
