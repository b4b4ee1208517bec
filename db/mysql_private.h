/*
 * The door to the MySQL client library: the only file that includes mysql.h.
 *
 * Two libraries have this interface, MariaDB's Connector/C and Oracle's
 * libmysqlclient; where they differ, the difference ends here. Private to
 * db/.
 */
#ifndef XQUEUE_DB_MYSQL_PRIVATE_H
#define XQUEUE_DB_MYSQL_PRIVATE_H

#include "db/conn.h"

#include <stdbool.h>

#include <mysql.h>

#include <errmsg.h>

#ifdef LIBMARIADB
typedef my_bool db_bool;
#else
typedef bool db_bool;
#endif
_Static_assert(sizeof(db_bool) == 1, "bind flags are one byte");

/* Before mysql_real_connect(). There is no "TLS if offered" on purpose. */
static inline void mysql_private_tls(MYSQL *mysql, enum db_tls tls)
{
#ifdef LIBMARIADB
    db_bool enforce = tls != DB_TLS_OFF;
    db_bool verify = tls == DB_TLS_VERIFY;

    /* Newer releases verify unless told not to: always say which. */
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
    unsigned mode = tls == DB_TLS_OFF         ? SSL_MODE_DISABLED
                    : tls == DB_TLS_REQUIRED  ? SSL_MODE_REQUIRED
                    : tls == DB_TLS_VERIFY_CA ? SSL_MODE_VERIFY_CA
                                              : SSL_MODE_VERIFY_IDENTITY;
    db_bool fetch_key = true;

    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    /* Connector/C always asks for the key of caching_sha2_password. */
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &fetch_key);
#endif
}

#endif
