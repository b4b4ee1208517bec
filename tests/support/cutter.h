/*
 * A go-between on a unix socket that cuts connections to the test's database
 * at the worst moment: when a COMMIT passes, or other words. It is a process of
 * its own and ends with the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_CUTTER_H
#define XQUEUE_TESTS_SUPPORT_CUTTER_H

#include "db/conn.h"

enum cut {
    CUT_BEFORE,  /* the server never sees the COMMIT, only the end */
    CUT_REPLY,   /* the server commits; its answer is lost */
    CUT_AT_ONCE, /* the COMMIT is passed on, and then both ends are closed */
    CUT_HOLD,    /* the server sees neither the COMMIT nor the end */
    CUT_FOR_EVER /* as CUT_REPLY, and nobody connects again */
};

struct cutter;

/* Cut the first `times` COMMITs; settings to connect with are set. */
struct cutter *cutter_start(const struct db_settings *settings, enum cut cut,
                            int times, struct db_settings *ret_settings);

/* The same for what holds these words, in place of COMMIT. */
struct cutter *cutter_start_at(const char *words,
                               const struct db_settings *settings, enum cut cut,
                               int times, struct db_settings *ret_settings);
void cutter_stop(struct cutter *cutter);

#endif
