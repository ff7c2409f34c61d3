"""Captured mails are encrypted."""

from django.db import migrations, models

import users.encrypted_fields
from users.stored_values import opened_once, rewrite_rows, sealed_once

TABLE = 'channels_email_capturedemail'


def seal(apps, schema_editor):
    rewrite_rows(
        apps.get_model('channels_email', 'CapturedEmail'),
        lambda mail: {
            'to': sealed_once(mail.to, f'{TABLE}.to'),
            'subject': sealed_once(mail.subject, f'{TABLE}.subject'),
            'sealed_source': sealed_once(bytes(mail.source), f'{TABLE}.source'),
        },
    )


def unseal(apps, schema_editor):
    rewrite_rows(
        apps.get_model('channels_email', 'CapturedEmail'),
        lambda mail: {
            'to': opened_once(mail.to, f'{TABLE}.to').decode()[:320],
            'subject': opened_once(mail.subject, f'{TABLE}.subject').decode()[:255],
            'source': opened_once(mail.sealed_source, f'{TABLE}.source'),
        },
    )


class Migration(migrations.Migration):

    atomic = False  # each batch is committed by itself

    dependencies = [
        ('channels_email', '0001_initial'),
        ('users', '0010_sealed_people'),
    ]

    operations = [
        migrations.AlterField('capturedemail', 'to', models.TextField()),
        migrations.AlterField('capturedemail', 'subject', models.TextField()),
        migrations.AddField('capturedemail', 'sealed_source', models.TextField(default='')),
        migrations.AlterField('capturedemail', 'source', models.BinaryField(default=b'')),
        migrations.RunPython(seal, unseal),
        migrations.RemoveField('capturedemail', 'source'),
        migrations.RenameField('capturedemail', 'sealed_source', 'source'),
        migrations.AlterField('capturedemail', 'source', users.encrypted_fields.EncryptedBytesField()),
        migrations.AlterField('capturedemail', 'to', users.encrypted_fields.EncryptedTextField()),
        migrations.AlterField('capturedemail', 'subject', users.encrypted_fields.EncryptedTextField()),
    ]
