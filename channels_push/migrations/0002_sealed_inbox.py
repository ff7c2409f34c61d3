"""Captured pushes are encrypted."""

import json

from django.db import migrations, models

import users.encrypted_fields
from users.stored_values import opened_once, rewrite_rows, sealed_once

TABLE = 'channels_push_capturedpush'
TEXTS = {'title': 255, 'body': None, 'image': 2000, 'link': 2000}


def seal(apps, schema_editor):
    rewrite_rows(
        apps.get_model('channels_push', 'CapturedPush'),
        lambda push: {
            **{name: sealed_once(getattr(push, name), f'{TABLE}.{name}') for name in TEXTS},
            'sealed_data': sealed_once(json.dumps(push.data), f'{TABLE}.data') if push.data else '',
        },
    )


def unseal(apps, schema_editor):
    rewrite_rows(
        apps.get_model('channels_push', 'CapturedPush'),
        lambda push: {
            **{
                name: opened_once(getattr(push, name), f'{TABLE}.{name}').decode()[:longest]
                for name, longest in TEXTS.items()
            },
            'data': json.loads(opened_once(push.sealed_data, f'{TABLE}.data') or b'{}'),
        },
    )


class Migration(migrations.Migration):

    atomic = False  # each batch is committed by itself

    dependencies = [
        ('channels_push', '0001_initial'),
        ('users', '0010_sealed_people'),
    ]

    operations = [
        migrations.AlterField('capturedpush', 'title', models.TextField()),
        migrations.AlterField('capturedpush', 'image', models.TextField(blank=True)),
        migrations.AlterField('capturedpush', 'link', models.TextField(blank=True)),
        migrations.AddField('capturedpush', 'sealed_data', models.TextField(default='')),
        migrations.RunPython(seal, unseal),
        migrations.RemoveField('capturedpush', 'data'),
        migrations.RenameField('capturedpush', 'sealed_data', 'data'),
        migrations.AlterField('capturedpush', 'data', users.encrypted_fields.EncryptedJSONField(default=dict)),
        migrations.AlterField('capturedpush', 'title', users.encrypted_fields.EncryptedTextField()),
        migrations.AlterField('capturedpush', 'body', users.encrypted_fields.EncryptedTextField()),
        migrations.AlterField('capturedpush', 'image', users.encrypted_fields.EncryptedTextField(blank=True)),
        migrations.AlterField('capturedpush', 'link', users.encrypted_fields.EncryptedTextField(blank=True)),
    ]
