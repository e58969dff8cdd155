"""The same planned sites as in the tests of doors."""

from tests.doors.conftest import any_planned, planned

__all__ = ["any_planned", "planned"]
