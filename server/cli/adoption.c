/*
 * Adopting open submissions.
 */
#include "server/cli/adoption.h"

#include "db/adopt.h"
#include "server/base/log.h"
#include "server/deliver/callback_identity.h"

enum { US_PER_MINUTE = 60 * 1000000 };

static bool is_nothing(const struct adopt_counts *counts);

enum db_status adoption_run(struct db_conn *db, const struct config *config)
{
    const struct adopt_settings settings = {
        .identify = callback_identify,
        .lease_us = (int64_t)(config->processing_delay_min * US_PER_MINUTE),
    };
    struct adopt_counts counts;
    enum db_status status = adopt_all(db, &settings, &counts);

    if (status == DB_OK && !is_nothing(&counts))
        log_event(LOG_INFO, "adopted", log_integer("waiting", counts.waiting),
                  log_integer("leased", counts.leased),
                  log_integer("answered", counts.answered),
                  log_integer("finished", counts.finished),
                  log_integer("left", counts.left),
                  log_integer("renewed", counts.renewed),
                  log_integer("no_callback", counts.unknown));
    return status;
}

static bool is_nothing(const struct adopt_counts *counts)
{
    return counts->waiting == 0 && counts->leased == 0 &&
           counts->answered == 0 && counts->finished == 0 &&
           counts->left == 0 && counts->renewed == 0;
}
