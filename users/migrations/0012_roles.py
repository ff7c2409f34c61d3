"""The six roles of staff. What each may do is kept in step by users/staff_roles.py after every `migrate`."""

from django.db import migrations

ROLES = ("Support", "Editor", "Publisher", "Developer", "Operator", "Owner")


def make_groups(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0011_sign_ins"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("view_pii", "Can see addresses unmasked"),
                    ("export_person", "Can export all that is kept about a person"),
                    ("erase_person", "Can erase a person"),
                    ("import_people", "Can import and export people and suppressions as files"),
                    ("manage_staff", "Can give and take roles, and change the accounts of staff"),
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
