from django.db import migrations

from waops.schema import CreateIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("usage", "0001_tables"), ("waops", "0001_tables")]

    operations = [
        # Who is near or over the quota.
        CreateIndex("""
            CREATE INDEX idx_profiles_ai_limits ON public.profiles
            USING btree (monthly_ai_responses_used, monthly_ai_response_limit)
        """),
    ]
