import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Not named 0001_tables as in the other apps, so that `migrate` refuses databases whose tables have the old names.
    initial = True

    dependencies = [
        ("usage", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('whatsapp_number', models.TextField(verbose_name="customer's number")),
                ('escalated_at', models.DateTimeField(null=True, verbose_name='escalated at')),
                ('reason', models.TextField(null=True, verbose_name='reason')),
                ('conversation_context', models.JSONField(null=True, verbose_name='conversation context')),
                ('resolved_at', models.DateTimeField(null=True, verbose_name='resolved at')),
                ('resolved_by', models.UUIDField(null=True, verbose_name='resolved by')),
                ('created_at', models.DateTimeField(null=True, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'escalation',
                'verbose_name_plural': 'escalations',
                'db_table': 'escalated_conversations',
                'permissions': [('resolve_escalation', 'Can resolve escalations'), ('reopen_escalation', 'Can reopen escalations'), ('claim_escalation', 'Can claim, hand over, snooze and annotate escalations'), ('open_escalation', 'Can escalate conversations'), ('override_escalation', 'Can act on escalations that a colleague has claimed'), ('export_escalation', 'Can export escalations')],
                'managed': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('escalation_id', models.UUIDField(verbose_name='escalation')),
                ('instance_id', models.UUIDField(null=True, verbose_name='WhatsApp number')),
                ('whatsapp_number', models.TextField(verbose_name='customer')),
                ('kind', models.CharField(choices=[('escalated', 'escalated by staff'), ('recovered', 'missed escalation added to the queue'), ('claimed', 'claimed'), ('handed_over', 'handed over'), ('released', 'released'), ('lapsed', 'claim expired'), ('snoozed', 'snoozed'), ('woken', 'woken'), ('noted', 'note'), ('resolved', 'resolved'), ('merged', 'closed as a duplicate'), ('reopened', 'reopened')], max_length=20, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('actor_name', models.TextField(help_text='As it was at that time.', verbose_name='name')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'history',
                'indexes': [models.Index(fields=['escalation_id', 'at'], name='events_of_escalation')],
            },
        ),
        migrations.CreateModel(
            name='CannedNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title_en', models.CharField(max_length=100, verbose_name='title in English')),
                ('title_ar', models.CharField(max_length=100, verbose_name='title in Arabic')),
                ('text_en', models.TextField(verbose_name='text in English')),
                ('text_ar', models.TextField(verbose_name='text in Arabic')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, help_text='Whether staff can choose it.', verbose_name='active')),
            ],
            options={
                'verbose_name': 'canned note',
                'verbose_name_plural': 'canned notes',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ClosingOutcome',
            fields=[
                ('code', models.SlugField(help_text='Stored in the history; never changes.', primary_key=True, serialize=False, verbose_name='code')),
                ('name_en', models.CharField(max_length=100, verbose_name='name in English')),
                ('name_ar', models.CharField(max_length=100, verbose_name='name in Arabic')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, help_text='Whether staff can choose it.', verbose_name='active')),
            ],
            options={
                'verbose_name': 'outcome',
                'verbose_name_plural': 'outcomes',
                'ordering': ['position', 'code'],
            },
        ),
        migrations.CreateModel(
            name='SLATarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('plan_type', models.CharField(blank=True, help_text='Empty: plans without their own target.', max_length=50, unique=True, verbose_name='plan')),
                ('warn_minutes', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='long after, in minutes')),
                ('breach_minutes', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='too long after, in minutes')),
                ('clock', models.CharField(choices=[('working', 'working hours only'), ('always', 'day and night')], default='working', max_length=10, verbose_name='counts')),
            ],
            options={
                'verbose_name': 'SLA target',
                'verbose_name_plural': 'SLA targets',
                'ordering': ['plan_type'],
                'constraints': [models.CheckConstraint(condition=models.Q(('warn_minutes__lte', models.F('breach_minutes'))), name='warned_before_too_long', violation_error_message='“Too long” cannot come before “long”.')],
            },
        ),
        migrations.CreateModel(
            name='WorkingDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], verbose_name='day')),
                ('begins', models.TimeField(verbose_name='from')),
                ('ends', models.TimeField(help_text='If “to” is not after “from”, it means the next day.', verbose_name='to')),
            ],
            options={
                'verbose_name': 'working hours',
                'verbose_name_plural': 'working hours',
                'ordering': ['weekday', 'begins'],
                'constraints': [models.UniqueConstraint(fields=('weekday', 'begins'), name='hours_begin_once')],
            },
        ),
        migrations.CreateModel(
            name='EscalationState',
            fields=[
                ('escalation', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='state', serialize=False, to='escalations.escalation', verbose_name='escalation')),
                ('version', models.PositiveIntegerField(db_default=0, help_text='Increases with every change of state.', verbose_name='version')),
                ('claimed_by_name', models.TextField(help_text='As it was at that time.', null=True, verbose_name='name')),
                ('claimed_at', models.DateTimeField(null=True, verbose_name='claimed')),
                ('lease_until', models.DateTimeField(null=True, verbose_name='claimed until')),
                ('snoozed_by_name', models.TextField(help_text='As it was at that time.', null=True, verbose_name='name')),
                ('snoozed_at', models.DateTimeField(null=True, verbose_name='snoozed')),
                ('snoozed_until', models.DateTimeField(help_text='Empty: until the customer writes. A message from the customer ends every snooze.', null=True, verbose_name='snoozed until')),
                ('note', models.TextField(db_default='', verbose_name='closing note')),
                ('claimed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='claimed by')),
                ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='resolved by')),
                ('snoozed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='snoozed by')),
                ('outcome', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='escalations.closingoutcome', verbose_name='outcome')),
                ('snoozed_seen_after', models.DateTimeField(help_text='Older messages count as seen. Empty: messages before the snooze.', null=True, verbose_name='seen')),
                ('snoozed_seen', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=[], size=None, verbose_name='messages seen')),
            ],
            options={
                'verbose_name': 'escalation state',
                'verbose_name_plural': 'escalation states',
                'indexes': [models.Index(condition=models.Q(('claimed_by__isnull', False)), fields=['claimed_by'], name='claimed_escalations'), models.Index(condition=models.Q(('snoozed_at__isnull', False)), fields=['snoozed_at'], name='snoozed_escalations')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('claimed_at', None), ('claimed_by', None), ('claimed_by_name', None), ('lease_until', None)), models.Q(('claimed_at__isnull', False), ('claimed_by__isnull', False), ('claimed_by_name__isnull', False), ('lease_until__isnull', False)), _connector='OR'), name='claim_is_whole'), models.CheckConstraint(condition=models.Q(models.Q(('snoozed_at', None), ('snoozed_by', None), ('snoozed_by_name', None), ('snoozed_until', None)), models.Q(('snoozed_at__isnull', False), ('snoozed_by__isnull', False), ('snoozed_by_name__isnull', False)), _connector='OR'), name='snooze_is_whole'), models.CheckConstraint(condition=models.Q(('claimed_by', None), ('snoozed_by', None), _connector='OR'), name='claimed_or_snoozed')],
            },
        ),
        migrations.CreateModel(
            name='ClosingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note_required', models.BooleanField(default=False, verbose_name='note required')),
                ('business', models.OneToOneField(blank=True, db_constraint=False, help_text='Empty: every business without its own rule.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='closing_rule', to='usage.profile', verbose_name='business')),
            ],
            options={
                'verbose_name': 'resolving rule',
                'verbose_name_plural': 'resolving rules',
                'constraints': [models.UniqueConstraint(models.ExpressionWrapper(models.Q(('business', None)), output_field=models.BooleanField()), condition=models.Q(('business', None)), name='one_default_closing_rule')],
            },
        ),
        migrations.CreateModel(
            name='Viewing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('escalation_id', models.UUIDField(verbose_name='escalation')),
                ('seen_at', models.DateTimeField(verbose_name='when')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'viewing',
                'verbose_name_plural': 'viewings',
                'indexes': [models.Index(fields=['seen_at'], name='viewings_by_time')],
                'constraints': [models.UniqueConstraint(fields=('escalation_id', 'user'), name='one_viewing_per_person')],
            },
        ),
        migrations.CreateModel(
            name='KnownReason',
            fields=[
                ('reason', models.TextField(primary_key=True, serialize=False, verbose_name='reason')),
                ('accepted_at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('accepted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='accepted by')),
            ],
            options={
                'verbose_name': 'known reason',
                'verbose_name_plural': 'known reasons',
            },
        ),
    ]
