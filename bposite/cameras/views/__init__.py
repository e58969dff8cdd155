"""Screens of cameras: the wall, one camera, the viewer of an entry's frames, coverage."""

from bposite.cameras.views import export, frames, manage, wall

blueprints = (wall.blueprint, frames.blueprint, manage.blueprint, export.blueprint)
