"""Find credentials in the environment first, then in the keyring; never show one."""

from __future__ import annotations

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from dtm.credentials import NoCredentialsError, kobo_token, odk_credentials

HERE = "https://central.example.org"


class Ring(KeyringBackend):
    priority = 1

    def __init__(self, secrets):
        super().__init__()
        self.secrets = secrets

    def get_password(self, service, username):
        if self.secrets is None:
            raise KeyringLocked("locked")
        return self.secrets.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError

    def delete_password(self, service, username):
        raise NotImplementedError


@pytest.fixture
def ring(monkeypatch):
    for name in ("DTM_KOBO_TOKEN", "DTM_ODK_TOKEN", "DTM_ODK_EMAIL", "DTM_ODK_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()

    def use(secrets):
        keyring.set_keyring(Ring(secrets))

    use({})
    yield use
    keyring.set_keyring(before)


def test_the_environment_comes_first(ring, monkeypatch):
    ring({(f"dtm {HERE}", "token"): "ring"})
    assert kobo_token(HERE) == "ring"
    monkeypatch.setenv("DTM_KOBO_TOKEN", " shell\n")
    assert kobo_token(HERE) == "shell"


def test_a_secret_belongs_to_one_address(ring):
    ring({("dtm https://other.example.org", "token"): "ring"})
    with pytest.raises(NoCredentialsError, match=f'DTM_KOBO_TOKEN.*keyring set "dtm {HERE}" token'):
        kobo_token(HERE)


def test_odk_takes_a_token_or_an_email_and_its_password(ring, monkeypatch):
    with pytest.raises(NoCredentialsError, match="DTM_ODK_EMAIL and DTM_ODK_PASSWORD, or DTM_ODK_TOKEN"):
        odk_credentials(HERE)
    monkeypatch.setenv("DTM_ODK_EMAIL", "a@example.org")
    with pytest.raises(NoCredentialsError, match=r"No password for a@example\.org"):
        odk_credentials(HERE)
    ring({(f"dtm {HERE}", "a@example.org"): "from the ring"})
    assert (odk_credentials(HERE).email, odk_credentials(HERE).password) == ("a@example.org", "from the ring")
    monkeypatch.setenv("DTM_ODK_PASSWORD", "пароль from the shell")
    assert odk_credentials(HERE).password == "пароль from the shell"  # noqa: S105
    monkeypatch.setenv("DTM_ODK_TOKEN", "t")
    assert (odk_credentials(HERE).token, odk_credentials(HERE).password) == ("t", None)


def test_without_an_email_the_keyring_may_hold_a_token(ring):
    ring({(f"dtm {HERE}", "token"): "ring"})
    assert odk_credentials(HERE).token == "ring"  # noqa: S105


def test_a_locked_keyring_is_one_without_secrets(ring):
    ring(None)
    with pytest.raises(NoCredentialsError):
        kobo_token(HERE)


@pytest.mark.parametrize("secret", ["two\nlines", "tokén", "nul\x01"])
def test_a_token_that_can_be_none_is_not_sent_nor_shown(ring, monkeypatch, secret):
    monkeypatch.setenv("DTM_KOBO_TOKEN", secret)
    with pytest.raises(NoCredentialsError) as told:
        kobo_token(HERE)
    assert secret not in str(told.value)


def test_credentials_show_no_secret():
    from enumerations.odk import Credentials

    assert "s3cret" not in repr(Credentials("a@example.org", "s3cret", "s3cret"))
