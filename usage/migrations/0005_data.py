from django.db import migrations


def make_state(apps, schema_editor):
    state = apps.get_model("usage", "RollupState").objects.using(schema_editor.connection.alias)
    state.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("usage", "0004_permissions")]

    operations = [migrations.RunPython(make_state, migrations.RunPython.noop)]
