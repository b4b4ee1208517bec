#!/bin/bash
# Make the data folder when it is new, with MYSQL_ROOT_PASSWORD or, for
# MYSQL_RANDOM_ROOT_PASSWORD, one that is told (without both there is none), and
# with MYSQL_DATABASE, MYSQL_USER and MYSQL_PASSWORD, if they are there; then
# become the server, with the options that it is given.
set -euo pipefail

data=/var/lib/mysql

first_steps() {
    local password=${MYSQL_ROOT_PASSWORD-}
    if [ -n "${MYSQL_RANDOM_ROOT_PASSWORD-}" ]; then
        password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        echo "GENERATED ROOT PASSWORD: $password" >&2
    fi
    cat <<SQL
CREATE USER 'root'@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
SQL
    [ -n "${MYSQL_DATABASE-}" ] || return 0
    cat <<SQL
CREATE DATABASE \`$MYSQL_DATABASE\`;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';
SQL
}

install -d -o mysql -g mysql /run/mysqld "$data"
if [ ! -d "$data/mysql" ]; then
    first_steps >/run/mysqld/first.sql
    mysqld --no-defaults --user=mysql --datadir="$data" --initialize-insecure \
        --init-file=/run/mysqld/first.sql
    rm /run/mysqld/first.sql
fi
[ "${1-}" != mysqld ] || shift
exec mysqld --no-defaults --user=mysql --datadir="$data" \
    --socket=/run/mysqld/mysqld.sock --mysqlx=OFF "$@"
