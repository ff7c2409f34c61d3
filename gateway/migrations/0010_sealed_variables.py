"""Variables of notifications are encrypted, in batches; what is encrypted already stays as it is."""

import json

from django.db import migrations, models

import users.encrypted_fields
from users.stored_values import opened_once, rewrite_rows, sealed_once

VARIABLES = 'gateway_notification.variables'


def seal(apps, schema_editor):
    def sealed(row):
        if not row.variables:
            return {'sealed_variables': ''}
        return {'sealed_variables': sealed_once(json.dumps(row.variables, ensure_ascii=False), VARIABLES)}

    rewrite_rows(apps.get_model('gateway', 'Notification'), sealed)


def unseal(apps, schema_editor):
    def opened(row):
        plain = opened_once(row.sealed_variables, VARIABLES)
        return {'variables': json.loads(plain) if plain else {}}

    rewrite_rows(apps.get_model('gateway', 'Notification'), opened)


class Migration(migrations.Migration):

    atomic = False  # each batch is committed by itself

    dependencies = [
        ('gateway', '0009_room_for_sealed_variables'),
    ]

    operations = [
        migrations.RunPython(seal, unseal),
        migrations.RemoveField('notification', 'variables'),
        migrations.RenameField('notification', 'sealed_variables', 'variables'),
        migrations.AlterField(
            'notification', 'variables', users.encrypted_fields.EncryptedJSONField(default=dict)
        ),
    ]
