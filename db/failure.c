/*
 * What the error numbers of the server and of the client library mean to us.
 *
 * The numbers are written out because the two client libraries and the two
 * server families do not name the same ones in their headers.
 */
#include "db/failure.h"

#include "server/base/compiler.h"

#include <stddef.h>
#include <string.h>

/* The client library's own numbers. */
enum { CLIENT_FIRST = 2000, CLIENT_LAST = 2999, CLIENT_PACKET = 2020 };

enum { SERVER_UNKNOWN_ERROR = 1105 };

/* The connection is gone, or leads to a server that may not write. */
static const unsigned away[] = {
    1040, /* too many connections */
    1047, /* the Galera node is not part of a cluster just now */
    1053, /* the server is shutting down */
    1077, /* the same */
    1158, /* the server could not read from us, or write to us: */
    1159, 1160, 1161, 1203, /* too many connections of this user */
    1226,                   /* the same */
    1290,                   /* read-only */
    1836,                   /* read-only */
    1927,                   /* killed (MariaDB) */
    3169,                   /* killed (MySQL) */
    4031,                   /* idle for too long (MySQL) */
};

/* Client numbers that mean "nobody answers there just now". */
static const unsigned unreachable[] = {2002, 2003, 2005, 2006, 2013, 2055};

/* The transaction lost against another one, or must be tried again. */
static const unsigned conflict[] = {
    1205, /* lock wait timeout */
    1213, /* deadlock; on Galera also a certification failure */
    3101, /* the same from Group Replication */
};

/* The data does not fit. */
static const unsigned refused[] = {
    1153,          /* packet too large */
    1264,          /* out of range */
    1300,          /* not a string of its character set */
    1366,          /* the same */
    1406,          /* too long for its column */
    CLIENT_PACKET, /* packet too large for the client */
};

#define CONTAINS(table, number) contains(table, ARRAY_LENGTH(table), number)

static bool contains(const unsigned *table, size_t count, unsigned number);
static bool is_clients(unsigned number);

enum db_status failure_of_connect(unsigned number)
{
    if (CONTAINS(unreachable, number) || CONTAINS(away, number))
        return DB_AWAY;
    return DB_FAILED;
}

enum db_status failure_of_statement(unsigned number, const char *message)
{
    if (number == 1062)
        return DB_DUPLICATE;
    if (CONTAINS(conflict, number))
        return DB_CONFLICT;
    if (CONTAINS(refused, number))
        return DB_REFUSED;
    if (number == SERVER_UNKNOWN_ERROR &&
        strstr(message, "max_allowed_packet") != NULL)
        return DB_REFUSED;
    /* Whatever the client library dislikes, the stream is not to be trusted */
    if (CONTAINS(away, number) || is_clients(number))
        return DB_AWAY;
    return DB_FAILED;
}

bool failure_ends_connection(unsigned number)
{
    return is_clients(number) || CONTAINS(away, number) || number == 1153;
}

static bool contains(const unsigned *table, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i] == number)
            return true;
    }
    return false;
}

static bool is_clients(unsigned number)
{
    return number >= CLIENT_FIRST && number <= CLIENT_LAST;
}
