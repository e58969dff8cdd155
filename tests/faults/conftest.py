"""The same planned sites as in the tests of doors."""

from tests.doors.conftest import any_planned, pattern, planned, planned_on_postgresql, postgresql_pattern

__all__ = ["any_planned", "pattern", "planned", "planned_on_postgresql", "postgresql_pattern"]
