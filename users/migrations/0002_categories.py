"""The three categories every installation begins with."""

from django.db import migrations

CATEGORIES = [
    {"code": "security", "name": "Security", "is_mandatory": True, "ignores_quiet_hours": True},
    {"code": "updates", "name": "Updates"},
    {"code": "marketing", "name": "Marketing", "is_marketing": True},
]


def add_categories(apps, schema_editor):
    category = apps.get_model("users", "Category")
    for values in CATEGORIES:
        category.objects.get_or_create(code=values["code"], defaults=values)


class Migration(migrations.Migration):
    dependencies = [("users", "0001_initial")]
    operations = [migrations.RunPython(add_categories, migrations.RunPython.noop)]
