"""Edges of what is happening now: the stream, Site now and the wall, the roll call."""

from bposite.live.views.rollcall import blueprint as rollcall
from bposite.live.views.site import blueprint as site
from bposite.live.views.stream import stream_blueprint as stream

blueprints = (stream, site, rollcall)
