"""Screens of the entry log."""

from bposite.entries.views.log import blueprint as log
from bposite.entries.views.one import blueprint as one
from bposite.entries.views.search import blueprint as search
from bposite.entries.views.way import blueprint as way

blueprints = (log, one, way, search)
