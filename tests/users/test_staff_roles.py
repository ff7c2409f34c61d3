"""What each role may do; who has one; that somebody is left who can give them."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from tests.admin_scene import owner, page, signed_in, staff
from tests.factories import UserFactory
from users.api_keys import SCOPES
from users.audit_models import AuditEntry
from users.models import User
from users.staff_roles import LastOwner, Role, allowed, roles_of, scopes_of, set_roles, sync_staff_roles

pytestmark = pytest.mark.django_db


def may(person):
    return User.objects.get(pk=person.pk).get_all_permissions()


def person_with(*roles):
    person = UserFactory()
    set_roles(person=person, roles=roles, by="a test")
    return User.objects.get(pk=person.pk)


def test_migrating_made_the_six_groups_with_what_they_may_do():
    assert sync_staff_roles() == dict.fromkeys(Role, 0)
    assert (
        Group.objects.filter(name__in=[role.group for role in Role], permissions__isnull=False).distinct().count() == 6
    )


def test_what_was_changed_by_hand_is_put_right():
    Group.objects.get(name="Support").permissions.add(Permission.objects.get(codename="view_pii"))
    Group.objects.get(name="Editor").permissions.clear()
    Group.objects.get(name="Owner").delete()

    changed = sync_staff_roles()
    assert changed[Role.SUPPORT] == 1
    assert changed[Role.EDITOR] > 5
    assert changed[Role.OWNER] == Permission.objects.count()


@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        ("support", "gateway.view_notification users.view_user gateway.cancel_notification",
         "gateway.view_notification_content users.view_pii users.change_user users.view_apikey users.view_auditentry"),
        ("editor", "templates_app.change_templateversion channels_email.view_capturedemail",
         "templates_app.publish_templateversion gateway.view_notification users.view_user"),
        ("publisher", "templates_app.publish_templateversion gateway.view_notification_content users.view_pii",
         "users.view_apikey gateway.force_breaker"),
        ("developer", "users.add_apikey gateway.view_callbackendpoint templates_app.view_template",
         "templates_app.change_template users.view_user gateway.force_breaker"),
        ("operator", "gateway.replay_notification gateway.force_breaker consumers.view_alert",
         "users.view_user templates_app.view_template users.view_apikey"),
        ("owner", "users.manage_staff users.view_auditentry users.change_category gateway.force_breaker", ""),
    ],
)  # fmt: skip
def test_each_role_may_what_its_words_say_and_no_more(role, has, has_not):
    given = may(person_with(Role(role)))

    assert set(has.split()) <= given
    assert not set(has_not.split()) & given


def test_every_permission_named_in_full_exists():
    from users.staff_roles import PERMISSIONS_OF_ROLES

    known = {
        f"{each.content_type.app_label}.{each.codename}" for each in Permission.objects.select_related("content_type")
    }
    later = {"gateway.resend_notification", "gateway.view_requestlogentry"}
    named = {each.lstrip("!") for patterns in PERMISSIONS_OF_ROLES.values() for each in patterns if "*" not in each}
    assert named - known <= later


def test_an_exclamation_mark_takes_away():
    assert allowed(Role.SUPPORT, ["users.view_user", "users.view_pii"]) == {"users.view_user"}


def test_scopes_follow_from_roles():
    assert scopes_of([]) == frozenset()
    assert scopes_of([Role.OWNER]) == frozenset(SCOPES)
    assert scopes_of([Role.EDITOR, Role.SUPPORT]) == {
        *("templates:write", "templates:read", "users:read", "notifications:read", "notifications:manage")
    }


def test_whoever_has_a_role_may_sign_in_to_the_admin_and_nobody_else():
    person = person_with(Role.SUPPORT, Role.EDITOR)
    assert (person.is_staff, roles_of(person)) == (True, [Role.SUPPORT, Role.EDITOR])

    assert set_roles(person=person, roles=[], by="a test")
    person = User.objects.get(pk=person.pk)
    assert (person.is_staff, roles_of(person)) == (False, [])
    assert not set_roles(person=person, roles=[], by="a test")


def test_groups_of_their_own_stay():
    person = person_with(Role.SUPPORT)
    person.groups.add(Group.objects.create(name="Choir"))

    set_roles(person=person, roles=[Role.EDITOR], by="a test")
    assert set(person.groups.values_list("name", flat=True)) == {"Choir", "Editor"}


def test_changes_are_noted():
    person = person_with(Role.SUPPORT)

    line = AuditEntry.objects.get(what="person.roles_changed")
    assert (line.who, line.about_id, line.before, line.after) == (
        "a test", str(person.pk), {"roles": []}, {"roles": ["support"]},
    )  # fmt: skip


def test_the_last_owner_stays():
    olga = owner()
    with pytest.raises(LastOwner):
        set_roles(person=olga, roles=[Role.SUPPORT], by="a test")

    person_with(Role.OWNER)
    set_roles(person=olga, roles=[Role.SUPPORT], by="a test")
    olga = User.objects.get(pk=olga.pk)
    assert (olga.is_superuser, roles_of(olga)) == (False, [Role.SUPPORT])


# --- commands ---------------------------------------------------------------------------------------------------------


def command(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_a_command_gives_and_takes_a_role():
    person = UserFactory(email="ann@example.com")
    person.set_unusable_password()
    person.save()

    assert json.loads(command("grant_role", "ANN@example.com", "support", "--json")) == {
        "id": str(person.pk),
        "roles": ["support"],
    }
    assert "support, operator" in (said := command("grant_role", "ann@example.com", "Operator"))
    assert "changepassword" in said
    command("grant_role", "ann@example.com", "support", "--remove")
    assert roles_of(person) == [Role.OPERATOR]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["nobody@example.com", "owner"], 1, "nobody with the address"),
        (["olga@example.com", "king"], 2, "publisher: "),
        (["owner@example.com", "owner", "--remove"], 1, "last owner"),
    ],
)
def test_what_cannot_be_done_is_said(args, code, words):
    owner()
    with pytest.raises(CommandError, match=words) as caught:
        command("grant_role", *args)
    assert caught.value.returncode == code


def test_roles_are_made_anew_by_a_command():
    assert "Owner: as it should be" in command("sync_staff_roles")
    assert json.loads(command("sync_staff_roles", "--json"))["editor"] == 0


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_page_says_what_each_role_may_and_who_has_it():
    person_with(Role.EDITOR)
    text = page(signed_in(owner()), "/admin/auth/group/")

    assert "Write templates" in text
    assert text.count("1 person") == 2  # the editor, and whoever looks
    assert "groups__id__exact=" in text


def test_roles_are_given_at_the_page_of_a_person():
    client, ann = signed_in(owner()), UserFactory(email="ann@example.com")
    address = f"/admin/users/user/{ann.pk}/change/"
    assert "Publisher: " in page(client, address)

    from tests.admin_scene import form_values

    values = form_values(page(client, address)) | {"roles": ["publisher", "operator"]}
    assert client.post(address, values).status_code == 302
    assert roles_of(User.objects.get(pk=ann.pk)) == [Role.PUBLISHER, Role.OPERATOR]
    assert User.objects.get(pk=ann.pk).is_staff
    assert AuditEntry.objects.get(what="person.roles_changed").who == "Olga"


def test_the_last_owner_cannot_give_it_up_there():
    from tests.admin_scene import form_values

    olga = owner()
    address = f"/admin/users/user/{olga.pk}/change/"
    client = signed_in(olga)
    answer = client.post(address, form_values(page(client, address)) | {"roles": []})

    assert "last owner" in answer.content.decode()
    assert User.objects.get(pk=olga.pk).is_superuser


def test_whoever_may_only_change_people_cannot_give_roles_nor_take_them():
    ann = person_with(Role.EDITOR)
    ann.is_staff = False
    ann.save()
    client = signed_in(staff("users.view_user", "users.change_user"))
    address = f"/admin/users/user/{ann.pk}/change/"
    assert "Publisher: " not in page(client, address)

    client.post(address, {"name": "Ann", "email": "", "external_id": ann.external_id, "roles": ["owner"]})
    assert roles_of(ann) == [Role.EDITOR]
