from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0008_cases")]

    operations = [
        InstallFunction(
            "waops.claim_escalations(uuid[], bigint, text, interval, boolean, integer[])",
            "0009_claim_escalations",
            grant=False,
        ),
        InstallFunction(
            "waops.renew_claims(uuid[], bigint, text, interval, integer[])", "0009_renew_claims", grant=False
        ),
        InstallFunction(
            "waops.release_escalations(uuid[], bigint, text, boolean, integer[])",
            "0009_release_escalations",
            grant=False,
        ),
        InstallFunction(
            "waops.hand_over_escalations(uuid[], bigint, text, bigint, text, interval, boolean, integer[])",
            "0009_hand_over_escalations",
            grant=False,
        ),
    ]
