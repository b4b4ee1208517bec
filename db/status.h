/*
 * How a database operation can end. Temporary and permanent are different
 * values: DB_AWAY, DB_CONFLICT and DB_BUSY may succeed when tried again.
 */
#ifndef XQUEUE_DB_STATUS_H
#define XQUEUE_DB_STATUS_H

enum db_status {
    DB_OK,
    DB_NOT_FOUND, /* no such row: the caller's own finding */
    DB_MISMATCH,  /* the row is not as the caller said (a wrong key) */
    DB_DUPLICATE, /* a unique key is taken (1062) */
    DB_CONFLICT,  /* deadlock or lock wait (1213, 1205): roll back, retry */
    DB_AWAY,      /* no connection, or it broke before COMMIT: nothing done */
    DB_UNKNOWN,   /* it broke in COMMIT and could not be settled in time */
    DB_REFUSED,   /* the data does not fit the column or the packet */
    DB_FAILED,    /* anything else: see db_conn_error() */
    DB_CANCELED,  /* the pool stopped before the job ran */
};

const char *db_status_name(enum db_status status);

#endif
