"""The command that adds an extra is the one of how tokenq was installed."""

import pytest

from tokenq import installed


@pytest.mark.parametrize(
    ("left_by_installer", "command"),
    [
        ("", "pip install 'tokenq[print]'"),
        ("pipx_metadata.json", "pipx runpip tokenq install 'tokenq[print]'"),
        ("uv-receipt.toml", "uv pip install --python {home} 'tokenq[print]'"),
        ("installed-by", "apt install --reinstall ./tokenq_*.deb"),
    ],
)
def test_each_installer_has_its_command(tmp_path, monkeypatch, left_by_installer, command):
    if left_by_installer:
        (tmp_path / left_by_installer).touch()
    monkeypatch.setattr(installed.sys, "prefix", str(tmp_path))
    assert installed.command_to_add("print") == command.format(home=tmp_path)
