"""Screens of the clean desk."""

from flask import Blueprint

from bposite.cleandesk.views import devices, exposure, figures, findings, overview, places, programme, rounds, walk
from bposite.cleandesk.views.base import blueprint

__all__ = [
    "blueprints",
    "devices",
    "exposure",
    "figures",
    "findings",
    "overview",
    "places",
    "programme",
    "rounds",
    "walk",
]

blueprints: tuple[Blueprint, ...] = (blueprint,)
