/*
 * What an answer says about the load of whoever gave it.
 */
#include "server/deliver/overload.h"

bool says_overloaded(const struct fetch *fetch)
{
    if (fetch->status != FETCH_DONE)
        return false;
    return fetch->http_status == 429 ||
           (fetch->http_status >= 502 && fetch->http_status <= 504);
}
