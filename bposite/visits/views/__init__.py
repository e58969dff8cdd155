"""Screens of the reception."""

from bposite.visits.views import arrivals, board, closing, desk, leaving, media, scanning, watching

blueprints = (
    board.blueprint,
    arrivals.blueprint,
    desk.blueprint,
    leaving.blueprint,
    media.blueprint,
    scanning.blueprint,
    watching.blueprint,
    closing.blueprint,
)
