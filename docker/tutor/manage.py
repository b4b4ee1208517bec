#!/bin/sh
# What tutor-xqueue calls: ./manage.py migrate, update_users, run_consumer and
# the rest of `xqueue --help`. DJANGO_SETTINGS_MODULE means nothing here.
exec xqueue "$@"
