"""Edges of what is happening now: the stream, Site now and the wall."""

from bposite.live.views.site import blueprint as site
from bposite.live.views.stream import stream_blueprint as stream

blueprints = (stream, site)
