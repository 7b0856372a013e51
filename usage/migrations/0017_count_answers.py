from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("usage", "0016_outlook")]

    # As before, and what is kept of a business by its counts is forgotten with them.
    operations = [
        InstallFunction("waops.count_answers(text, boolean)", "0017_count_answers", grant=False),
        InstallFunction("waops.reprice_usage(text[])", "0017_reprice_usage", grant=False),
    ]
