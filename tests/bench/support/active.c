/*
 * What a benchmark of whole active cycles begins with.
 */
#include "tests/bench/support/active.h"

#include "tests/bench/support/bench.h"
#include "tests/support/service_story.h"

enum { CLIENTS = 64, MOST_OPEN = 1000, REPLY_BYTES = 200 };

static struct cycle_words *words_of(const struct active *active,
                                    size_t body_bytes);

void active_begin(struct active *active, const char *more)
{
    *active = (struct active){
        .database = mariadb_database(),
        .lms = fast_lms_start(),
    };
    own_service_begin(&(struct service_settings){
        .database = active->database,
        .queues = "{bench: null}",
        .more = more,
    });
    active->words = words_of(active, ACTIVE_BODY_BYTES);
    active->load = (struct cycle_settings){
        .port = service_port(service),
        .words = active->words,
        .lms = active->lms,
        .submitters = CLIENTS,
        .pollers = CLIENTS,
        .most_open = MOST_OPEN,
        .seconds = bench_seconds(),
        .next_number = &active->next_number,
    };
}

void active_end(struct active *active)
{
    own_service_end();
    cycle_words_free(active->words);
    fast_lms_stop(active->lms);
}

void active_set_body_bytes(struct active *active, size_t body_bytes)
{
    cycle_words_free(active->words);
    active->words = words_of(active, body_bytes);
    active->load.words = active->words;
}

static struct cycle_words *words_of(const struct active *active,
                                    size_t body_bytes)
{
    return cycle_words_new(&(struct cycle_words_settings){
        .queue = "bench",
        .cookie = http_cookie(client, "sessionid"),
        .lms_port = fast_lms_port(active->lms),
        .body_bytes = body_bytes,
        .reply_bytes = REPLY_BYTES,
    });
}
