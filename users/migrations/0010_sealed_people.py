"""Addresses and device tokens are encrypted, in batches; what is encrypted already stays as it is."""

import hashlib

from django.db import migrations

import users.encrypted_fields
from users.encryption import blind_index, fingerprint
from users.stored_values import opened_once, rewrite_rows, sealed_once

EMAIL, TOKEN = 'users_user.email', 'users_device.token'


def seal(apps, schema_editor):
    def sealed_person(person):
        address = opened_once(person.email, EMAIL)
        return {
            'email': sealed_once(person.email, EMAIL),
            'email_index': blind_index(address.decode()) if address else None,
        }

    def sealed_device(device):
        token = opened_once(device.token, TOKEN).decode()
        return {
            'token': sealed_once(device.token, TOKEN),
            'token_hash': fingerprint(f'{device.provider}:{token}', purpose='device token'),
        }

    rewrite_rows(apps.get_model('users', 'User'), sealed_person)
    rewrite_rows(apps.get_model('users', 'Device'), sealed_device)


def unseal(apps, schema_editor):
    def open_person(person):
        address = opened_once(person.email, EMAIL)
        return {'email': address if address is None else address.decode()}

    def open_device(device):
        token = opened_once(device.token, TOKEN).decode()
        return {'token': token, 'token_hash': hashlib.sha256(f'{device.provider}:{token}'.encode()).hexdigest()}

    rewrite_rows(apps.get_model('users', 'User'), open_person)
    rewrite_rows(apps.get_model('users', 'Device'), open_device)


class Migration(migrations.Migration):

    atomic = False  # each batch is committed by itself

    dependencies = [
        ('users', '0009_room_for_sealed_people'),
    ]

    operations = [
        migrations.RunPython(seal, unseal),
        migrations.AlterField(
            'user', 'email', users.encrypted_fields.EncryptedEmailField(blank=True, max_length=254, null=True)
        ),
        migrations.AlterField(
            'user',
            'email_index',
            users.encrypted_fields.BlindIndexField(editable=False, max_length=64, null=True, of='email', unique=True),
        ),
        migrations.AlterField('device', 'token', users.encrypted_fields.EncryptedTextField(max_length=4096)),
    ]
