import uuid
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('whatsapp_number', models.TextField(verbose_name='whatsapp number')),
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
                'permissions': [('resolve_escalation', 'Can resolve escalations')],
                'abstract': False,
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
                ('kind', models.CharField(choices=[('resolved', 'resolved'), ('merged', 'closed as a duplicate')], max_length=20, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('actor_name', models.TextField(help_text='As it was at that moment.', verbose_name='name')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'history',
                'indexes': [models.Index(fields=['escalation_id', 'at'], name='events_of_escalation')],
            },
        ),
    ]
