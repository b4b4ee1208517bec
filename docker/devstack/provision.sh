#!/bin/bash
# In the container: make the database, the program, the tables and the users.
# Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/../.."

mariadb --no-defaults --host=edx.devstack.mysql80 --user=root \
    <docker/devstack/provision.sql
make --no-print-directory requirements
python manage.py migrate
python manage.py update_users
