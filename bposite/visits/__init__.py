"""Visits: from the invitation over arrival, check-in and the time on site to a departure that somebody can prove."""
