"""WSGI entry point: ``flask --app app`` and any WSGI server find the application here."""

from bposite import create_app

app = create_app()
