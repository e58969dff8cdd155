"""Settings: environment over file over defaults, and a message that names the wrong key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bposite.plumbing.errors import Refusal
from bposite.plumbing.resources import root
from bposite.plumbing.settings import FILE_NAME, Part, Settings, load


def test_defaults_bind_loopback_only(tmp_path: Path) -> None:
    settings = load(tmp_path, {})
    assert (settings.web.host, settings.mqtt.host) == ("127.0.0.1", "127.0.0.1")
    assert settings.database == f"sqlite:///{tmp_path.resolve() / 'bposite.sqlite3'}"


def test_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("[web]\nport = 1\n[mqtt]\nport = 2\n")
    env = {
        "BPOSITE_WEB_PORT": "81",
        "BPOSITE_MQTT_URL": "mqtts://site:p%40ss@broker.example",
        "BPOSITE_DATABASE_URL": "sqlite://",
    }
    settings = load(tmp_path, env)
    assert settings.web.port == 81
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.tls) == ("broker.example", 8883, True)
    assert settings.mqtt.password.get_secret_value() == "p@ss"
    assert not settings.mqtt.embedded


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[web]\nprot = 1\n", "web.prot"),
        ("[site]\nzone = 'Mars/Base'\n", "site.zone"),
        ("[site]\nid = 'A B'\n", "site.id"),
        ("checkpoint_seconds = 0\n", "checkpoint_seconds"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(Refusal) as refused:
        load(tmp_path, {})
    assert refused.value.field == field


def test_broken_toml_says_where(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("[web\n")
    with pytest.raises(Refusal, match="line 1"):
        load(tmp_path, {})


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load(
        tmp_path, {"BPOSITE_MQTT_URL": "mqtt://u:hunter2@h", "BPOSITE_DATABASE_URL": "postgresql://u:hunter2@h/d"}
    )
    assert "hunter2" not in repr(settings)


def _groups(model: type[Part], prefix: str = "") -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Part):
            found += _groups(kind, f"{name}.")
        else:
            found.append((prefix + name, field.title or "", field.description))
    return found


def test_every_setting_has_a_title_a_description_and_a_line_in_the_shipped_file() -> None:
    shipped = (root("config") / "settings.toml").read_text()
    for name, title, description in _groups(Settings):
        assert title, name
        assert description, name
        if name != "state_dir":
            assert f"{name.rsplit('.', 1)[-1]} =" in shipped, f"{name} is not in config/settings.toml"
