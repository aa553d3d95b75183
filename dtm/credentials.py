"""Find the credentials of a server in the environment or in the keyring of the system, and nowhere else."""

from __future__ import annotations

import os

import keyring
from keyring.errors import KeyringError

from dtm.errors import WrongUseError
from enumerations.odk import Credentials

KEYRING_SERVICE = "dtm {address}"
"""Service under which the keyring holds a secret; {address} is the server's, such as https://kf.kobotoolbox.org."""
KEYRING_TOKEN = "token"  # noqa: S105  a user's name in the keyring
"""User name under which the keyring holds a token; a password stands under its email."""

KOBO_TOKEN = "DTM_KOBO_TOKEN"  # noqa: S105  the name of a variable
ODK_TOKEN = "DTM_ODK_TOKEN"  # noqa: S105
ODK_EMAIL = "DTM_ODK_EMAIL"
ODK_PASSWORD = "DTM_ODK_PASSWORD"  # noqa: S105


class NoCredentialsError(WrongUseError):
    """Say where the credentials that are missing are looked for."""


def _from_environment(name: str) -> str | None:
    text = os.environ.get(name, "").strip()
    if text and not (text.isprintable() and (name == ODK_PASSWORD or text.isascii())):
        raise NoCredentialsError(f"{name} holds characters that no such secret has. Set it again (it is not shown).")
    return text or None


def _from_keyring(address: str, user: str) -> str | None:
    try:
        return keyring.get_password(KEYRING_SERVICE.format(address=address), user) or None
    except (KeyringError, OSError, RuntimeError):  # no keyring on this computer, or a locked one
        return None


def kobo_token(address: str) -> str:
    """Return the API token for a KoboToolbox server.

    Raises
    ------
    NoCredentialsError
        Neither the environment nor the keyring has one.
    """
    token = _from_environment(KOBO_TOKEN) or _from_keyring(address, KEYRING_TOKEN)
    if token is None:
        raise NoCredentialsError(
            f"No token for {address}. Set {KOBO_TOKEN}, or store it once with "
            f'`keyring set "{KEYRING_SERVICE.format(address=address)}" {KEYRING_TOKEN}`.'
        )
    return token


def odk_credentials(address: str) -> Credentials:
    """Return a token, or an email with its password, for an ODK Central server; a token comes first.

    Raises
    ------
    NoCredentialsError
        Neither the environment nor the keyring has them.
    """
    email = _from_environment(ODK_EMAIL)
    if token := _from_environment(ODK_TOKEN):
        return Credentials(token=token)
    if email:
        if password := _from_environment(ODK_PASSWORD) or _from_keyring(address, email):
            return Credentials(email=email, password=password)
        raise NoCredentialsError(
            f"No password for {email} at {address}. Set {ODK_PASSWORD}, or store it once with "
            f'`keyring set "{KEYRING_SERVICE.format(address=address)}" {email}`.'
        )
    if token := _from_keyring(address, KEYRING_TOKEN):
        return Credentials(token=token)
    raise NoCredentialsError(
        f"No credentials for {address}. Set {ODK_EMAIL} and {ODK_PASSWORD}, or {ODK_TOKEN}, or store a password once "
        f'with `keyring set "{KEYRING_SERVICE.format(address=address)}" EMAIL` and set {ODK_EMAIL}.'
    )
