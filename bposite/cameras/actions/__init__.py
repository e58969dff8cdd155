"""What people and the cameras process do: change cameras, keep links, open and close failures, record views."""

from bposite.cameras.actions.export import Package, checked_reason, make_package, record_export, record_redaction
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
from bposite.cameras.actions.plan import apply_plan, configure, set_masks
from bposite.cameras.actions.views import Viewing, record_views

__all__ = [
    "Package",
    "PictureMade",
    "Settled",
    "Target",
    "Viewing",
    "add_targets",
    "apply_plan",
    "checked_reason",
    "close_failure",
    "configure",
    "confirm_reference",
    "make_package",
    "open_failure",
    "record_export",
    "record_pictures",
    "record_redaction",
    "record_settled",
    "record_views",
    "relink",
    "set_masks",
    "write_states",
]
