"""Stored credentials: private, whole, and refused when they are not."""

import os
import stat

import pytest

from tokenq.client.credentials import Credential, Credentials, forget, read, store
from tokenq.errors import BadSettings

ONE = Credential("tq_one", "ann", "127.0.0.1:9092")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "tokenq" / "credentials.json"


def test_what_was_stored_is_read_back(path):
    store(path, "http://127.0.0.1:8080/", ONE)
    store(path, "https://other.example.org", Credential("tq_two"))
    found = read(path)
    assert found.current == "https://other.example.org"
    assert found.at("http://127.0.0.1:8080") == ONE


def test_no_file_is_no_credentials(path):
    assert read(path) == Credentials()


def test_forgetting_keeps_the_others_and_the_server_in_use(path):
    store(path, "https://a.example.org", ONE)
    store(path, "https://b.example.org", Credential("tq_two"))
    forget(path, "https://b.example.org")
    assert read(path).servers == {"https://a.example.org": ONE}
    assert read(path).current == "https://b.example.org"


def test_the_file_and_its_folder_are_private_whatever_the_umask(path):
    before = os.umask(0)
    try:
        store(path, "https://a.example.org", ONE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused_with_the_way_to_mend_it(path, mode):
    store(path, "https://a.example.org", ONE)
    path.chmod(mode)
    with pytest.raises(BadSettings) as caught:
        read(path)
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_link_is_refused(path, tmp_path):
    store(path, "https://a.example.org", ONE)
    real = path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(real)
    with pytest.raises(BadSettings, match="is a link"):
        read(path)
    with pytest.raises(BadSettings):
        store(path, "https://a.example.org", ONE)
    assert path.is_symlink()


def test_a_pipe_in_its_place_does_not_hang(path):
    path.parent.mkdir(parents=True)
    os.mkfifo(path, 0o600)
    with pytest.raises(BadSettings, match="not a file"):
        read(path)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"servers": {"x": {}}}', '{"servers": 3}', "\ud800"])
def test_a_damaged_file_says_how_to_begin_anew(path, content):
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    path.chmod(0o600)
    with pytest.raises(BadSettings, match="damaged") as caught:
        read(path)
    assert "tokenq login" in caught.value.hint
