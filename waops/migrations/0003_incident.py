from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('waops', '0002_permissions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('procedure', models.TextField(verbose_name='procedure')),
                ('kind', models.TextField(choices=[('fallback', 'the old path answered'), ('unknown_business', 'allowed for want of a known business')], verbose_name='kind')),
                ('detail', models.TextField(help_text='SQLSTATE of a failure, or id of what is unknown.', verbose_name='detail')),
                ('occurrences', models.BigIntegerField(verbose_name='occurrences')),
                ('first_at', models.DateTimeField(verbose_name='first at')),
                ('last_at', models.DateTimeField(verbose_name='last at')),
            ],
            options={
                'verbose_name': 'incident',
                'verbose_name_plural': 'incidents',
                'constraints': [models.UniqueConstraint(fields=('day', 'procedure', 'kind', 'detail'), name='one_incident_per_day')],
            },
        ),
    ]
