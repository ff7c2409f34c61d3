"""Staff at the admin pages: who they are, and what their browser shows."""

from html.parser import HTMLParser

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from users.models import User

#: The most a staff page may ask of the database.
MOST_QUERIES = 12


def staff(*permissions: str) -> User:
    """A staff person with these permissions alone, each as `app.codename`."""
    person = User.objects.create_user(email="staff@example.com", is_staff=True, name="Sam")
    for permission in permissions:
        app, codename = permission.split(".")
        person.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return person


def owner() -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser(email="owner@example.com", name="Olga")


def signed_in(person: User) -> Client:
    """A browser in which this person has signed in."""
    client = Client()
    client.force_login(person)
    return client


def page(client: Client, address: str) -> str:
    """The text of a page that answers 200."""
    answer = client.get(address)
    assert answer.status_code == 200, f"{address} answered {answer.status_code}"
    return answer.content.decode()


def queries_of(client: Client, address: str) -> list[str]:
    """What a page asks the database."""
    with CaptureQueriesContext(connection) as asked:
        page(client, address)
    return [each["sql"] for each in asked.captured_queries]


def form_values(text: str) -> dict[str, list[str]]:
    """What a browser sends when the form of a page is saved as it is, without the empty rows that serve as patterns."""
    reader = _FormReader()
    reader.feed(text)
    return {name: values for name, values in reader.values.items() if "__prefix__" not in name}


class _FormReader(HTMLParser):
    """Reads the fields of the forms that post."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._posts = False
        self._field = ""
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self._posts = (given.get("method") or "").lower() == "post"
        if not self._posts or "disabled" in given:
            return
        if tag == "input":
            self._read_input(given)
        elif tag == "select":
            self._field = given.get("name") or ""
        elif tag == "option" and "selected" in given:
            self._keep(self._field, given.get("value"))
        elif tag == "textarea":
            self._field, self._text = given.get("name") or "", []

    def _read_input(self, given: dict[str, str | None]) -> None:
        kind = given.get("type")
        is_box = kind in ("checkbox", "radio")
        if kind in ("submit", "button") or (is_box and "checked" not in given):
            return
        self._keep(given.get("name") or "", given.get("value", "on" if is_box else ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            self._keep(self._field, "".join(self._text).removeprefix("\n"))
            self._text = None
        if tag == "form":
            self._posts = False

    def _keep(self, name: str, value: str | None) -> None:
        if name:
            self.values.setdefault(name, []).append(value or "")
