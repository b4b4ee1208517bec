/*
 * Looking for a callback address in all of history.
 *
 * The index that has the addresses begins with the day of arrival, so that it
 * grows at its end and a new submission costs the same whatever the number of
 * old ones (migrations/0008_arrival_day.sql). To look for an address is to
 * look into each day there is: two short walks down the index for each, some
 * milliseconds for years. Only what is rare may ask.
 */
#ifndef XQUEUE_DB_ARRIVAL_DAY_H
#define XQUEUE_DB_ARRIVAL_DAY_H

/* The day of arrival as SQL; takes one integer parameter, microseconds. */
#define SQL_DAY_FROM_US "DATE" SQL_TIME_FROM_US

/*
 * "FROM ... WHERE ..." of the submissions `s` whose column lms_callback_url
 * is `url`. Those of the Django server have no day: `<=>` finds them, too.
 */
#define SQL_FROM_CALLBACK_URL(url)                                             \
    " FROM (SELECT DISTINCT xqueue_arrival_day AS day FROM queue_submission"   \
    " FORCE INDEX (xqueue_arrival_day_idx)) days"                              \
    " STRAIGHT_JOIN queue_submission s FORCE INDEX (xqueue_arrival_day_idx)"   \
    " ON s.xqueue_arrival_day <=> days.day"                                    \
    " WHERE s.lms_callback_url = " url

#endif
