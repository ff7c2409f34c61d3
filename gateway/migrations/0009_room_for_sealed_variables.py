"""A place for encrypted variables, and what retention has to know."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0007_callbacks'),
        ('users', '0010_sealed_people'),
    ]

    operations = [
        migrations.AddField('notification', 'sealed_variables', models.TextField(default='', db_default='')),
        migrations.AddField(
            'notification', 'has_sensitive', models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField('notification', 'content_deleted_at', models.DateTimeField(null=True)),
        migrations.AddIndex(
            'notification',
            models.Index(fields=['updated_at'], condition=Q(has_sensitive=True), name='sensitive'),
        ),
        migrations.AddIndex(
            'notification',
            models.Index(
                fields=['created_at'],
                condition=Q(
                    content_deleted_at__isnull=True,
                    status__in=['bounced', 'cancelled', 'delivered', 'expired', 'failed', 'sent', 'suppressed'],
                ),
                name='with_content',
            ),
        ),
    ]
