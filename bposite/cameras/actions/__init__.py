"""What people and the cameras process do: change cameras, keep links, open and close failures, record views."""

from bposite.cameras.actions.health import (
    close_failure,
    confirm_reference,
    open_failure,
    write_states,
)
from bposite.cameras.actions.links import (
    PictureMade,
    Settled,
    Target,
    add_targets,
    record_pictures,
    record_settled,
    relink,
)
from bposite.cameras.actions.plan import apply_plan, configure, set_line, set_masks
from bposite.cameras.actions.views import Viewing, record_views

__all__ = [
    "PictureMade",
    "Settled",
    "Target",
    "Viewing",
    "add_targets",
    "apply_plan",
    "close_failure",
    "configure",
    "confirm_reference",
    "open_failure",
    "record_pictures",
    "record_settled",
    "record_views",
    "relink",
    "set_line",
    "set_masks",
    "write_states",
]
