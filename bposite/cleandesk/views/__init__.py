"""Screens of the clean desk."""

from flask import Blueprint

blueprints: tuple[Blueprint, ...] = ()
