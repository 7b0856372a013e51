import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import usage.models.alert
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                'managed': False,
                'base_manager_name': 'objects',
                'permissions': [('change_quota', 'Can change limits and grant top-ups'), ('reset_quota', 'Can reset counters'), ('export_usage', 'Can export usage')],
            },
        ),
        migrations.CreateModel(
            name='PendingAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sign', models.SmallIntegerField()),
                ('answered_at', models.DateTimeField()),
                ('instance_id', models.UUIDField()),
                ('model', models.TextField()),
                ('personality', models.TextField()),
                ('intent', models.TextField()),
                ('prompt_tokens', models.IntegerField(null=True)),
                ('completion_tokens', models.IntegerField(null=True)),
                ('total_tokens', models.IntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='UsageByDay',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'instance_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('instance_id', models.UUIDField()),
                ('replies', models.BigIntegerField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['instance_id', '-day'], name='last_day_of_number')],
            },
        ),
        migrations.CreateModel(
            name='UsageByHour',
            fields=[
                ('pk', models.CompositePrimaryKey('instance_id', 'period', 'hour', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instance_id', models.UUIDField()),
                ('period', models.DateTimeField()),
                ('hour', models.SmallIntegerField()),
                ('replies', models.BigIntegerField()),
                ('total_tokens', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='UsageByPeriod',
            fields=[
                ('replies', models.BigIntegerField()),
                ('untracked', models.BigIntegerField()),
                ('prompt_tokens', models.BigIntegerField()),
                ('completion_tokens', models.BigIntegerField()),
                ('total_tokens', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('instance_id', 'period', 'model', 'price_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instance_id', models.UUIDField()),
                ('period', models.DateTimeField()),
                ('model', models.TextField()),
                ('price_id', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='UsageDetail',
            fields=[
                ('replies', models.BigIntegerField()),
                ('untracked', models.BigIntegerField()),
                ('prompt_tokens', models.BigIntegerField()),
                ('completion_tokens', models.BigIntegerField()),
                ('total_tokens', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('instance_id', 'period', 'day', 'model', 'personality', 'intent', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instance_id', models.UUIDField()),
                ('period', models.DateTimeField()),
                ('day', models.DateField()),
                ('model', models.TextField()),
                ('personality', models.TextField()),
                ('intent', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.DateTimeField(verbose_name='period')),
                ('threshold', models.PositiveSmallIntegerField(verbose_name='threshold')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('facts', models.JSONField(help_text='The data the messages are written from.', verbose_name='facts')),
                ('business', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.profile', verbose_name='business')),
            ],
            options={
                'verbose_name': 'alert',
                'verbose_name_plural': 'alerts',
                'constraints': [models.UniqueConstraint(fields=('business', 'period', 'threshold'), name='one_alert_per_period_and_threshold')],
            },
        ),
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('thresholds', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]), blank=True, default=usage.models.alert.default_thresholds, help_text='Percentages of the limit, such as 50,80,100.', size=None, verbose_name='at these percentages')),
                ('forecast', models.BooleanField(default=True, verbose_name='when it will run out before the reset')),
                ('emails', models.TextField(blank=True, help_text='One address per line. Empty: no e-mail is sent.', verbose_name='e-mail to')),
                ('webhook', models.BooleanField(default=True, help_text='Calls QUOTA_WEBHOOK_URL from the environment, if set.', verbose_name='call the webhook')),
                ('language', models.CharField(choices=[('en', 'English'), ('ar', 'Arabic')], default='en', max_length=2, verbose_name='language')),
                ('business', models.OneToOneField(blank=True, db_constraint=False, help_text='Empty: every business without its own rule.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='alert_rule', to='usage.profile', verbose_name='business')),
            ],
            options={
                'verbose_name': 'alert rule',
                'verbose_name_plural': 'alert rules',
                'constraints': [models.UniqueConstraint(models.ExpressionWrapper(models.Q(('business', None)), output_field=models.BooleanField()), condition=models.Q(('business', None)), name='one_default_alert_rule')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('webhook', 'webhook')], max_length=10, verbose_name='channel')),
                ('target', models.TextField(verbose_name='to')),
                ('language', models.CharField(max_length=2, verbose_name='language')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('sent', 'sent'), ('given_up', 'given up')], default='waiting', max_length=10, verbose_name='state')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('next_attempt_at', models.DateTimeField(verbose_name='next attempt')),
                ('error', models.TextField(blank=True, verbose_name='last error')),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='usage.alert', verbose_name='alert')),
            ],
            options={
                'verbose_name': 'alert delivery',
                'verbose_name_plural': 'alert deliveries',
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_attempt_at'], name='waiting_deliveries')],
            },
        ),
        migrations.CreateModel(
            name='Period',
            fields=[
                ('pk', models.CompositePrimaryKey('business_id', 'starts_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('counted', models.BooleanField(default=False)),
                ('business', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.profile')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('counted', False)), fields=['business'], name='uncounted_periods')],
            },
        ),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(help_text='As named in the replies, for example gpt-4.1-mini.', max_length=100, verbose_name='model')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('input_per_million', models.DecimalField(decimal_places=4, max_digits=12, verbose_name='per million input tokens')),
                ('output_per_million', models.DecimalField(decimal_places=4, max_digits=12, verbose_name='per million output tokens')),
                ('currency', models.CharField(default='USD', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Three capital letters, such as USD.')], verbose_name='currency')),
            ],
            options={
                'verbose_name': 'price',
                'verbose_name_plural': 'prices',
                'ordering': ['model', '-valid_from'],
                'constraints': [models.UniqueConstraint(fields=('model', 'valid_from'), name='one_price_of_a_model_per_day'), models.CheckConstraint(condition=models.Q(('input_per_million__gte', 0), ('output_per_million__gte', 0)), name='price_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='QuotaChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('limit', 'limit changed'), ('top_up', 'top-up'), ('top_up_ended', 'top-up ended'), ('top_up_superseded', 'top-up replaced by a later change'), ('reset', 'counter reset'), ('outside', 'changed outside this app')], max_length=20, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('actor_name', models.TextField(help_text='As it was at that time.', verbose_name='name')),
                ('reason', models.TextField(verbose_name='why')),
                ('old_limit', models.IntegerField(verbose_name='limit before')),
                ('new_limit', models.IntegerField(verbose_name='limit after')),
                ('old_used', models.IntegerField(verbose_name='used before')),
                ('new_used', models.IntegerField(verbose_name='used after')),
                ('old_reset', models.DateTimeField(null=True, verbose_name='last reset before')),
                ('new_reset', models.DateTimeField(null=True, verbose_name='last reset after')),
                ('details', models.JSONField(default=dict, help_text='Other counters reset at the same time.', verbose_name='details')),
                ('actor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('business', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='quota_changes', to='usage.profile', verbose_name='business')),
            ],
            options={
                'verbose_name': 'quota change',
                'verbose_name_plural': 'quota changes',
                'indexes': [models.Index(fields=['business', 'at'], name='quota_changes_of_business')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind', 'outside'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='quota_change_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='RollupState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('built_at', models.DateTimeField(null=True, verbose_name='counted from the start')),
                ('refreshed_at', models.DateTimeField(null=True, verbose_name='as of')),
                ('time_zone', models.TextField(default='', verbose_name='time zone')),
                ('basis', models.TextField(default='')),
            ],
            options={
                'verbose_name': 'state of the counts',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_rollup_state')],
            },
        ),
        migrations.CreateModel(
            name='TopUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveIntegerField(verbose_name='replies')),
                ('granted_at', models.DateTimeField(verbose_name='from')),
                ('expires_at', models.DateTimeField(verbose_name='until')),
                ('reason', models.TextField(verbose_name='why')),
                ('outcome', models.CharField(choices=[('active', 'active'), ('taken_back', 'taken back'), ('superseded', 'replaced by a later change')], default='active', max_length=20, verbose_name='state')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended at')),
                ('business', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='top_ups', to='usage.profile', verbose_name='business')),
                ('granted_by', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='usage.quotachange', verbose_name='granted by')),
            ],
            options={
                'verbose_name': 'top-up',
                'verbose_name_plural': 'top-ups',
                'indexes': [models.Index(condition=models.Q(('outcome', 'active')), fields=['business', 'expires_at'], name='active_top_ups')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='top_up_adds_something'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('granted_at'))), name='top_up_ends_after_it_began')],
            },
        ),
        migrations.CreateModel(
            name='AccessLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('businesses', models.ManyToManyField(blank=True, db_constraint=False, related_name='+', to='usage.profile', verbose_name='businesses')),
                ('group', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='auth.group', verbose_name='group')),
                ('person', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'limit of access',
                'verbose_name_plural': 'limits of access',
                'constraints': [models.CheckConstraint(condition=models.Q(('person__isnull', True), ('group__isnull', True), _connector='XOR'), name='limit_of_a_person_or_a_group', violation_error_message='Choose either a person or a group.')],
            },
        ),
        migrations.CreateModel(
            name='Outlook',
            fields=[
                ('business_id', models.UUIDField(primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('last_reset', models.DateTimeField(null=True)),
                ('trend', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('replies', models.BigIntegerField()),
                ('tokens', models.BigIntegerField()),
                ('untracked', models.BigIntegerField()),
                ('unpriced', models.BigIntegerField()),
                ('currencies', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('costs', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=12, max_digits=30), size=None)),
                ('mean', models.FloatField(null=True)),
                ('deviation', models.FloatField(null=True)),
                ('error', models.FloatField(null=True)),
            ],
            options={
                'verbose_name': 'outlook',
            },
        ),
        migrations.CreateModel(
            name='Missed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('what', models.TextField()),
                ('business_id', models.UUIDField(null=True)),
                ('problem', models.TextField()),
            ],
        ),
    ]
