/*
 * The promises about what graders pull.
 */
#include "tests/support/history_private.h"

#include <string.h>

/* The lease of a pull begins before its end and lasts to its begin + lease. */
void check_pulls(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];

    for (size_t i = 0; i < fate->pull_count; i++) {
        const struct event *pull = fate->pulls[i];

        for (size_t k = 0; k < fate->pull_count; k++) {
            const struct event *other = fate->pulls[k];

            if (i == k || other->end_us < pull->end_us)
                continue;
            if (i < k)
                check->counts->pulled_again++;
            if (strcmp(pull->key, other->key) == 0)
                check_complain(check, number, "two leases have the same key");
            if (other->end_us - pull->begin_us < check->facts->lease_us)
                check_complain(check, number, "two graders had it at once");
        }
        if (fate->put != NULL && pull->begin_us > fate->put->end_us)
            check_complain(check, number, "it was handed out after its result");
        if (fate->submit != NULL && pull->end_us < fate->submit->begin_us)
            check_complain(check, number,
                           "it was handed out before it was sent");
    }
    if (fate->pull_count > 1 && !check->facts->has_faults)
        check_complain(check, number, "it was handed out twice");
}
