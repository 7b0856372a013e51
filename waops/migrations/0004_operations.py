import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('waops', '0003_incident'),
    ]

    operations = [
        migrations.CreateModel(
            name='Operations',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'verbose_name': 'operations',
                'verbose_name_plural': 'operations',
                'permissions': [('view_operations', 'Can see the operations pages'), ('change_operations', 'Can record backups and tick the checklist')],
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AcceptedDrift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.TextField(unique=True, verbose_name='difference')),
                ('by_name', models.TextField(verbose_name='accepted by')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
            ],
            options={
                'verbose_name': 'accepted difference',
                'verbose_name_plural': 'accepted differences',
            },
        ),
        migrations.CreateModel(
            name='Backup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken_at', models.DateTimeField(verbose_name='taken at')),
                ('kind', models.CharField(choices=[('dump', 'pg_dump, restored as a test'), ('entered', 'taken elsewhere')], max_length=20, verbose_name='kind')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('recorded_by', models.TextField(verbose_name='recorded by')),
            ],
            options={
                'verbose_name': 'backup',
                'verbose_name_plural': 'backups',
                'ordering': ['-taken_at'],
            },
        ),
        migrations.CreateModel(
            name='ExplainBaseline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField(unique=True, verbose_name='name')),
                ('recorded_at', models.DateTimeField(auto_now_add=True, verbose_name='recorded at')),
                ('server_version', models.IntegerField(verbose_name='server version')),
                ('plans', models.JSONField(verbose_name='plans')),
            ],
            options={
                'verbose_name': 'EXPLAIN baseline',
                'verbose_name_plural': 'EXPLAIN baselines',
                'ordering': ['-recorded_at'],
            },
        ),
        migrations.CreateModel(
            name='ChecklistTick',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item', models.CharField(max_length=50, verbose_name='item')),
                ('done', models.BooleanField(verbose_name='done')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('by_name', models.TextField(help_text='As it was at that moment.', verbose_name='name')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'tick of the checklist',
                'verbose_name_plural': 'ticks of the checklist',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken_at', models.DateTimeField(auto_now_add=True, verbose_name='taken at')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('server_version', models.IntegerField(help_text='As server_version_num: 150018.', verbose_name='server version')),
                ('figures', models.JSONField(verbose_name='figures')),
                ('commit_ms', models.FloatField(help_text='Median time of a one-row update until its commit is acknowledged.', null=True, verbose_name='commit, ms')),
                ('probe', models.IntegerField(default=0, help_text='Rewritten to time a commit; means nothing.', verbose_name='probe')),
            ],
            options={
                'verbose_name': 'snapshot',
                'verbose_name_plural': 'snapshots',
                'ordering': ['-taken_at', '-pk'],
                'indexes': [models.Index(fields=['taken_at'], name='snapshots_by_time')],
            },
        ),
    ]
