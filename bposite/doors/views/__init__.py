"""Screens of doors, zones, devices, the quarantine and alarms."""

from bposite.doors.views.alarms import blueprint as alarms
from bposite.doors.views.devices import blueprint as devices
from bposite.doors.views.doors import blueprint as doors
from bposite.doors.views.quarantine import blueprint as quarantine

blueprints = (doors, devices, quarantine, alarms)
