import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(null=True, verbose_name='created at')),
                ('updated_at', models.DateTimeField(null=True, verbose_name='updated at')),
                ('full_name', models.TextField(null=True, verbose_name='full name')),
                ('business_name', models.TextField(null=True, verbose_name='business name')),
                ('is_active', models.BooleanField(null=True, verbose_name='is active')),
                ('monthly_ai_response_limit', models.IntegerField(verbose_name='monthly ai response limit')),
                ('monthly_ai_responses_used', models.IntegerField(verbose_name='monthly ai responses used')),
                ('last_responses_reset_date', models.DateTimeField(null=True, verbose_name='last responses reset date')),
                ('enable_smart_escalation_global', models.BooleanField(null=True, verbose_name='enable smart escalation global')),
                ('subscription_start_date', models.DateTimeField(null=True, verbose_name='subscription start date')),
                ('subscription_end_date', models.DateTimeField(null=True, verbose_name='subscription end date')),
                ('plan_type', models.TextField(null=True, verbose_name='plan type')),
                ('subscription_period', models.TextField(null=True, verbose_name='subscription period')),
            ],
            options={
                'verbose_name': 'business',
                'verbose_name_plural': 'businesses',
                'db_table': 'profiles',
                'ordering': ['business_name'],
                'abstract': False,
                'managed': False,
                'base_manager_name': 'objects',
            },
        ),
    ]
