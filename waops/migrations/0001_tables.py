import datetime
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'permissions': [('see_numbers', 'Can see phone numbers in full')],
            },
        ),
        migrations.CreateModel(
            name='ArchivedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.TextField(verbose_name='table')),
                ('row_id', models.TextField(verbose_name='row')),
                ('row', models.JSONField(verbose_name='content')),
                ('repair', models.TextField(help_text='Name of the repair command.', verbose_name='repair')),
                ('archived_at', models.DateTimeField(auto_now_add=True, verbose_name='archived at')),
            ],
            options={
                'verbose_name': 'archived row',
                'verbose_name_plural': 'archived rows',
                'indexes': [models.Index(fields=['table', 'row_id'], name='archived_row_by_origin')],
            },
        ),
        migrations.CreateModel(
            name='InstalledObject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('index', 'index'), ('function', 'function'), ('sql_file', 'SQL file')], max_length=20, verbose_name='kind')),
                ('identity', models.TextField(help_text='The name with its schema.', verbose_name='object')),
                ('installed_by', models.TextField(help_text='The app, and the SQL file if there is one: an object can be replaced several times.', verbose_name='installed by')),
                ('before', models.JSONField(help_text='The previous definition; empty if there was none.', null=True, verbose_name='before')),
                ('installed_at', models.DateTimeField(auto_now_add=True, verbose_name='installed at')),
            ],
            options={
                'verbose_name': 'installed object',
                'verbose_name_plural': 'installed objects',
                'constraints': [models.UniqueConstraint(fields=('kind', 'identity', 'installed_by'), name='one_record_per_installation')],
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('procedure', models.TextField(verbose_name='function')),
                ('kind', models.TextField(choices=[('fallback', 'used the legacy path'), ('unknown_business', 'allowed because the business is unknown')], verbose_name='kind')),
                ('detail', models.TextField(help_text='The SQLSTATE of the failure, or the unknown id.', verbose_name='detail')),
                ('occurrences', models.BigIntegerField(verbose_name='occurrences')),
                ('first_at', models.DateTimeField(verbose_name='first at')),
                ('last_at', models.DateTimeField(verbose_name='last at')),
                ('acknowledged_at', models.DateTimeField(null=True, verbose_name='acknowledged at')),
                ('acknowledged_by', models.TextField(blank=True, db_default='', default='', verbose_name='acknowledged by')),
            ],
            options={
                'verbose_name': 'incident',
                'verbose_name_plural': 'incidents',
                'constraints': [models.UniqueConstraint(fields=('day', 'procedure', 'kind', 'detail'), name='one_incident_per_day')],
            },
        ),
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
                ('kind', models.CharField(choices=[('dump', 'pg_dump, restore tested'), ('entered', 'taken elsewhere')], max_length=20, verbose_name='kind')),
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
                ('by_name', models.TextField(help_text='As it was at that time.', verbose_name='name')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'checklist tick',
                'verbose_name_plural': 'checklist ticks',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken_at', models.DateTimeField(auto_now_add=True, verbose_name='taken at')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('server_version', models.IntegerField(help_text='server_version_num, for example 150018.', verbose_name='server version')),
                ('figures', models.JSONField(verbose_name='figures')),
                ('commit_ms', models.FloatField(help_text='Median time of a one-row update until its commit is acknowledged.', null=True, verbose_name='commit, ms')),
                ('probe', models.IntegerField(default=0, help_text='Rewritten to time a commit; the value has no meaning.', verbose_name='probe')),
            ],
            options={
                'verbose_name': 'snapshot',
                'verbose_name_plural': 'snapshots',
                'ordering': ['-taken_at', '-pk'],
                'indexes': [models.Index(fields=['taken_at'], name='snapshots_by_time')],
            },
        ),
        migrations.CreateModel(
            name='SignInEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('logged_in', 'logged in'), ('failed', 'wrong name or password'), ('locked_out', 'locked out after too many attempts'), ('lock_lifted', 'lock lifted'), ('logged_out', 'logged out'), ('code_accepted', 'code accepted'), ('backup_code_used', 'backup code used'), ('code_refused', 'wrong code'), ('factor_set_up', 'second factor set up'), ('factor_removed', 'second factor removed'), ('backup_codes_made', 'new backup codes'), ('password_changed', 'password changed')], max_length=20, verbose_name='what')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('person_name', models.TextField(help_text='As it was at that time; empty if there is no such account.', verbose_name='account')),
                ('actor_name', models.TextField(help_text="Who did this to another person's account.", verbose_name='by')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='from where')),
                ('browser', models.TextField(help_text='As reported by the browser.', verbose_name='browser')),
                ('request_id', models.TextField(help_text='The request id, as in the log.', verbose_name='request')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='whose account')),
            ],
            options={
                'verbose_name': 'login',
                'verbose_name_plural': 'logins',
                'indexes': [models.Index(fields=['-at', '-id'], name='sign_ins_by_time'), models.Index(fields=['person', '-at'], name='sign_ins_of_person')],
            },
        ),
        migrations.CreateModel(
            name='AccessRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('person_name', models.TextField(help_text='As it was at that time.', verbose_name='name')),
                ('action', models.CharField(choices=[('read', 'read'), ('exported', 'exported'), ('searched', 'searched by number'), ('replied', 'replied to the customer')], max_length=10, verbose_name='what')),
                ('what', models.CharField(help_text='A model, such as app_label.model.', max_length=100, verbose_name='what was read')),
                ('object_id', models.TextField(help_text='Empty for a list.', verbose_name='row')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'access record',
                'verbose_name_plural': 'access records',
                'indexes': [models.Index(fields=['what', 'object_id', 'person', 'at'], name='access_to_one_row'), models.Index(fields=['at'], name='access_by_time')],
            },
        ),
        migrations.CreateModel(
            name='UsedKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(verbose_name='key')),
                ('scope', models.TextField(verbose_name='scope')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
            ],
            options={
                'verbose_name': 'used form key',
                'verbose_name_plural': 'used form keys',
                'indexes': [models.Index(fields=['at'], name='form_keys_by_time')],
                'constraints': [models.UniqueConstraint(fields=('key', 'scope'), name='form_key_used_once')],
            },
        ),
        migrations.CreateModel(
            name='AdoptionReading',
            fields=[
                ('at', models.DateTimeField(primary_key=True, serialize=False, verbose_name='when')),
                ('inserted', models.BigIntegerField(verbose_name='messages inserted')),
                ('by_function', models.BigIntegerField(verbose_name='messages stored by functions')),
            ],
            options={
                'verbose_name': 'adoption reading',
                'verbose_name_plural': 'adoption readings',
                'db_table': 'adoption_reading',
            },
        ),
        migrations.CreateModel(
            name='TraceLine',
            fields=[
                ('slot', models.IntegerField(primary_key=True, serialize=False, verbose_name='slot')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('function', models.TextField(verbose_name='function')),
                ('milliseconds', models.FloatField(verbose_name='duration')),
                ('details', models.JSONField(verbose_name='details')),
            ],
            options={
                'verbose_name': 'trace line',
                'verbose_name_plural': 'trace lines',
                'db_table': 'function_trace_line',
                'ordering': ['-at', '-slot'],
            },
        ),
        migrations.CreateModel(
            name='FunctionTrace',
            fields=[
                ('function', models.TextField(primary_key=True, serialize=False, verbose_name='function')),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='since')),
                ('until', models.DateTimeField(verbose_name='until')),
            ],
            options={
                'verbose_name': 'trace',
                'verbose_name_plural': 'traces',
                'db_table': 'function_trace',
                'constraints': [models.CheckConstraint(condition=models.Q(('until__lte', django.db.models.expressions.CombinedExpression(models.F('since'), '+', models.Value(datetime.timedelta(days=1))))), name='trace_ends')],
            },
        ),
        migrations.CreateModel(
            name='PeriodicRun',
            fields=[
                ('name', models.TextField(primary_key=True, serialize=False, verbose_name='part')),
                ('started_at', models.DateTimeField(verbose_name='last run')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended at')),
                ('succeeded_at', models.DateTimeField(null=True, verbose_name='last success')),
                ('problem', models.TextField(blank=True, verbose_name='problem')),
            ],
            options={
                'verbose_name': 'periodic run',
                'verbose_name_plural': 'periodic runs',
            },
        ),
    ]
