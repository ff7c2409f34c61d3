from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0014_device_last_seen")]

    operations = [
        migrations.AddField(
            model_name="user", name="address_changed_at", field=models.DateTimeField(editable=False, null=True)
        )
    ]
