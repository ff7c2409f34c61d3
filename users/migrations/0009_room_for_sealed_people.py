"""The address becomes a text that is long enough for its sealed form, and gets an index of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0008_audit'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='user', name='one_person_per_email'),
        migrations.AlterField('user', 'email', models.TextField(blank=True, null=True)),
        migrations.AddField('user', 'email_index', models.CharField(editable=False, max_length=64, null=True)),
    ]
