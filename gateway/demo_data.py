"""Use case: the first admin, an API key, people and templates, so that a newcomer's first request works as written."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from templates_app.examples import add_examples, install_template, read_template_file
from templates_app.models import Template
from users.api_keys import SCOPES, create_api_key, usable_key
from users.models import ApiKey, Device, Preference, QuietHours, User

HERE = Path(__file__).resolve().parent
CLIENT = "demo"
ADMIN_EMAIL = "admin@example.com"
SECRETS_FILE = "demo.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSecrets:
    """What nobody can read from the database again. Empty where there is nothing to tell."""

    admin_email: str = ADMIN_EMAIL
    #: Empty when such an account was there before.
    admin_password: str = ""
    api_key: str = ""


def is_seeded() -> bool:
    """Whether the demo was made once, even if somebody has changed or deleted parts of it since."""
    return ApiKey.objects.filter(client=CLIENT).exists()


@transaction.atomic
def seed_demo(*, keep_in: Path | None = None) -> DemoSecrets | None:
    """Make the demo, all of it or nothing; None when it was made before. What is already there stays as it is.

    With `keep_in` the secrets are also kept in a file of that folder that only its owner can read.
    """
    if is_seeded():
        return None
    admin, password = _first_admin()
    add_examples(by=admin, note="Demo data")
    for path in sorted((HERE / "demo_templates").glob("*.yaml")):
        file = read_template_file(path)
        if not Template.objects.filter(code=file["code"]).exists():
            install_template(file, by=admin, note="Demo data")
    for person in yaml.safe_load((HERE / "demo_people.yaml").read_text(encoding="utf-8")):
        _add_person(person)
    _, plain = create_api_key(name="Demo", client=CLIENT, scopes=SCOPES)
    made = DemoSecrets(admin_password=password, api_key=plain)
    if keep_in is not None:
        _keep(keep_in / SECRETS_FILE, made)
    return made


def kept_secrets(folder: Path) -> DemoSecrets | None:
    """What `seed_demo` kept, as far as it is still true; None when it kept nothing. Slow: it tries the password."""
    kept = _read_kept(folder)
    if kept is None:
        return None
    admin = User.objects.with_email(kept.admin_email).filter(is_active=True).first()
    knows_password = admin is not None and admin.check_password(kept.admin_password)
    return DemoSecrets(
        admin_email=kept.admin_email,
        admin_password=kept.admin_password if knows_password else "",
        api_key=kept_api_key(folder),
    )


def kept_api_key(folder: Path) -> str:
    """The key that `seed_demo` kept, if it may still be used; else empty."""
    kept = _read_kept(folder)
    return kept.api_key if kept and usable_key(kept.api_key) else ""


def _first_admin() -> tuple[User, str]:
    found = User.objects.with_email(ADMIN_EMAIL).first()
    if found:
        return found, ""
    password = secrets.token_urlsafe(12)
    return User.objects.create_superuser(ADMIN_EMAIL, password, name="Demo admin"), password


def _add_person(person: Mapping[str, Any]) -> None:
    if User.objects.filter(external_id=person["external_id"]).exists():
        return
    if person["email"] and User.objects.with_email(person["email"]).exists():
        return
    user = User.objects.create_user(
        person["email"],
        external_id=person["external_id"],
        name=person["name"],
        locale=person["locale"],
        timezone=person["timezone"],
    )
    for device in person["devices"]:
        Device.objects.create(user=user, **device)
    for channel, is_wanted in person["channels"].items():
        if not is_wanted:
            Preference.objects.create(user=user, channel=channel, is_enabled=False)
    if hours := person.get("quiet_hours"):
        QuietHours.objects.create(
            user=user,
            start=time.fromisoformat(hours["start"]),
            end=time.fromisoformat(hours["end"]),
            timezone=hours["timezone"],
        )


def _read_kept(folder: Path) -> DemoSecrets | None:
    try:
        return DemoSecrets(**json.loads((folder / SECRETS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, made: DemoSecrets) -> None:
    """Written beside and moved into place, so that nobody ever reads half of it."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file, indent=2)
    draft.replace(path)
