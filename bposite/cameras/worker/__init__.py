"""The cameras process: records every camera, links entries to pictures, watches over the cameras' health."""

from bposite.cameras.worker.main import run

__all__ = ["run"]
