"""Read models of visits. What other features and the screens use is named here."""

from bposite.visits.queries.standing import Judged, judged, load, pass_standing, standing_of_pass

__all__ = ["Judged", "judged", "load", "pass_standing", "standing_of_pass"]
