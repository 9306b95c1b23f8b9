"""Secrets: never shown, taken from files, and a key of the server's own, made once and kept for its owner."""

from __future__ import annotations

import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import Settings, ensure_secret_key, load_settings, prepare_directories
from errors import InvalidSetting


def test_secrets_are_never_shown() -> None:
    """Not by rows(), not by repr(), not in a refusal."""
    settings = load_settings(environ={"PYPI_SECRET_KEY": "hidden" * 9, "PYPI_ADMIN_PASSWORD": "hidden"})
    rows = {row.key: row.value for row in settings.rows()}
    assert (rows["secret_key"], rows["admin_password"]) == ("********", "********")
    assert "hidden" not in repr(settings)
    with pytest.raises(InvalidSetting) as caught:
        load_settings(environ={"PYPI_SECRET_KEY": "hidden", "PYPI_HOST": "0.0.0.0"})
    assert "hidden" not in caught.value.sentence


def test_a_secret_may_lie_in_a_file() -> None:
    """PYPI_..._FILE names a file with the secret, as containers hand them over; both at once are refused."""
    Path("password").write_text(" with spaces \n")
    settings = load_settings(environ={"PYPI_ADMIN_PASSWORD_FILE": "password"})
    assert (settings.admin_password, settings.origin("admin_password")) == (
        " with spaces ", "PYPI_ADMIN_PASSWORD_FILE",
    )  # fmt: skip
    with pytest.raises(InvalidSetting, match="both set"):
        load_settings(environ={"PYPI_ADMIN_PASSWORD_FILE": "password", "PYPI_ADMIN_PASSWORD": "x"})
    with pytest.raises(InvalidSetting, match=r"PYPI_SECRET_KEY_FILE names 'gone', which cannot be read: No such"):
        load_settings(environ={"PYPI_SECRET_KEY_FILE": "gone"})


def test_a_short_key_is_refused_where_others_can_connect() -> None:
    """A guessable key such as "dev" is a warning on this machine alone, and stops the start elsewhere."""
    assert "can be guessed" in load_settings(environ={"PYPI_SECRET_KEY": "dev"}).warnings[0]
    with pytest.raises(InvalidSetting, match=r"^PYPI_SECRET_KEY has fewer than 16 characters"):
        load_settings(environ={"PYPI_SECRET_KEY": "dev", "PYPI_HOST": "0.0.0.0"})


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first start makes 32 random bytes in hexadecimal, for the owner only; later ones read them."""
    settings = Settings(data_dir=str(tmp_path / "deep/packages"))
    key = ensure_secret_key(settings)
    assert re.fullmatch(rb"[0-9a-f]{64}", key)
    assert ensure_secret_key(settings) == key
    assert stat.S_IMODE(settings.secret_key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.state_path.stat().st_mode) == 0o700
    assert [path.name for path in settings.state_path.iterdir()] == ["secret_key"]


def test_a_key_that_is_set_wins(tmp_path: Path) -> None:
    """A secret_key of the settings is the key, and no file is made."""
    settings = Settings(data_dir=str(tmp_path / "packages"), secret_key="set by hand, long")
    assert ensure_secret_key(settings) == b"set by hand, long"
    assert not settings.data_path.exists()


def test_a_key_that_others_can_read_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file mode that lets others read the key is put right, with a warning that does not hold the key."""
    settings = Settings(data_dir=str(tmp_path))
    key = ensure_secret_key(settings)
    settings.secret_key_path.chmod(0o644)
    assert ensure_secret_key(settings) == key
    assert stat.S_IMODE(settings.secret_key_path.stat().st_mode) == 0o600
    assert "could be read by others (mode 644)" in caplog.text
    assert key.decode() not in caplog.text


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """An empty or cut key file is never used as a key."""
    settings = Settings(data_dir=str(tmp_path))
    prepare_directories(settings)
    settings.secret_key_path.touch(0o600)
    with pytest.raises(InvalidSetting, match="is cut off; delete it"):
        ensure_secret_key(settings)


def test_those_that_start_together_get_one_key(tmp_path: Path) -> None:
    """Eight at once in each of forty new folders: all have the same key, whoever was first."""
    everybody = threading.Barrier(8)

    def key_of(data_dir: Path) -> bytes:
        everybody.wait()
        return ensure_secret_key(Settings(data_dir=str(data_dir)))

    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            assert len(set(pool.map(key_of, [tmp_path / str(number)] * 8))) == 1
