"""Gives a person a role, or takes it away."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.command_line import ExamplesCommand
from users.models import User
from users.staff_roles import IN_WORDS, LastOwner, Role, roles_of, set_roles

USAGE = 2


class Command(ExamplesCommand):
    help = "Give a person a staff role, or take it away."
    examples = (
        "manage.py grant_role ann@example.com support",
        "manage.py grant_role ann@example.com support --remove",
        "manage.py grant_role ann@example.com owner --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who and what."""
        parser.add_argument("email", metavar="EMAIL", help="the person's e-mail address")
        parser.add_argument("role", metavar="ROLE", help=", ".join(Role))
        parser.add_argument("--remove", action="store_true", help="take the role away")
        parser.add_argument("--json", action="store_true", help="the person's id and roles as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0, also when nothing had to change; 1 for nobody of this address; 2 for an unknown role."""
        if options["role"].lower() not in list(Role):
            words = "\n".join(f"  {role}: {IN_WORDS[role]}" for role in Role)
            raise CommandError(f"There is no role {options['role']!r}; there are:\n{words}", returncode=USAGE)
        person = User.objects.with_email(options["email"]).first()
        if person is None:
            raise CommandError(f"There is nobody with the address {options['email']}; make the person known first.")
        role = Role(options["role"].lower())
        roles = set(roles_of(person)) - {role} if options["remove"] else {*roles_of(person), role}
        try:
            set_roles(person=person, roles=roles, by="manage.py grant_role")
        except LastOwner as error:
            raise CommandError("This is the last owner; make somebody else one first.") from error
        self.stdout.write(self._told(User.objects.get(pk=person.pk), as_json=options["json"]))

    def _told(self, person: User, *, as_json: bool) -> str:
        roles = roles_of(person)
        if as_json:
            return json.dumps({"id": str(person.pk), "roles": roles})
        words = f"{person} now has: {', '.join(roles) or 'no role'}."
        if roles and not person.has_usable_password():
            words += f"\nThere is no password yet: manage.py changepassword {person.email}"
        return words
