from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Faculty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=5, unique=True)),
                ('name', models.CharField(max_length=100, unique=True)),
            ],
            options={
                'verbose_name_plural': 'faculties',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Course',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(help_text='The first digit is the year of study from which on it may be taken.', validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(599)])),
                ('title', models.CharField(max_length=100)),
                ('faculty', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registrar.faculty')),
            ],
            options={
                'ordering': ('faculty__code', 'number'),
            },
        ),
        migrations.CreateModel(
            name='Student',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('matric_no', models.CharField(max_length=7, unique=True, validators=[django.core.validators.RegexValidator('^\\d{7}$', 'It has seven digits.')], verbose_name='matriculation number')),
                ('first_name', models.CharField(max_length=50)),
                ('last_name', models.CharField(max_length=50)),
                ('email', models.EmailField(blank=True, max_length=254, null=True, unique=True)),
                ('born_on', models.DateField()),
                ('year', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)], verbose_name='year of study')),
                ('faculty', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registrar.faculty')),
            ],
            options={
                'ordering': ('matric_no',),
            },
        ),
        migrations.CreateModel(
            name='Enrolment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('enrolled_on', models.DateField()),
                ('mark', models.DecimalField(blank=True, decimal_places=1, help_text='From 1.0, the best, to 5.0.', max_digits=2, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)])),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registrar.course')),
                ('student', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='registrar.student')),
            ],
            options={
                'ordering': ('student__matric_no', 'course__faculty__code', 'course__number'),
            },
        ),
        migrations.AddConstraint(
            model_name='course',
            constraint=models.UniqueConstraint(fields=('faculty', 'number'), name='registrar_course_number'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('student', 'course'), name='registrar_enrolled_once', violation_error_message='The student takes this course already.'),
        ),
    ]
