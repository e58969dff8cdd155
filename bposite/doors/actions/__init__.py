"""What people, devices and time do to doors. One public function = one step of a unit of work and its facts."""

from bposite.doors.actions.alarms import acknowledge_alarm, checked_reason, close_alarm, end_condition, raise_alarm
from bposite.doors.actions.commands import (
    ask_again,
    forgive_passback,
    lock,
    release,
    release_lockdown,
    start_lockdown,
    unlock,
)
from bposite.doors.actions.devices import (
    claim_device,
    claim_door,
    discard_message,
    dismiss_claim,
    replay_message,
    sign_off_gap,
)
from bposite.doors.actions.plan import apply_plan
from bposite.doors.references import reference_key as device_key

__all__ = [
    "acknowledge_alarm",
    "apply_plan",
    "ask_again",
    "checked_reason",
    "claim_device",
    "claim_door",
    "close_alarm",
    "device_key",
    "discard_message",
    "dismiss_claim",
    "end_condition",
    "forgive_passback",
    "lock",
    "raise_alarm",
    "release",
    "release_lockdown",
    "replay_message",
    "sign_off_gap",
    "start_lockdown",
    "unlock",
]
