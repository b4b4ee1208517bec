/*
 * Names of the ways in which a database operation can end.
 */
#include "db/status.h"

#include "server/base/memory.h"

const char *db_status_name(enum db_status status)
{
    switch (status) {
    case DB_OK:
        return "ok";
    case DB_NOT_FOUND:
        return "not_found";
    case DB_MISMATCH:
        return "mismatch";
    case DB_DUPLICATE:
        return "duplicate";
    case DB_CONFLICT:
        return "conflict";
    case DB_AWAY:
        return "away";
    case DB_UNKNOWN:
        return "unknown";
    case DB_REFUSED:
        return "refused";
    case DB_FAILED:
        return "failed";
    case DB_CANCELED:
        return "canceled";
    }
    fatal("no database status has the number %d", (int)status);
}
