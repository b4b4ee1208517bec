/*
 * What clients did and saw while things were killed, and whether that is as
 * it must be. The checker knows the promises of the service and nothing of
 * how it keeps them.
 *
 * Submissions are numbered from 0; a number is sent at most once, so that
 * what comes back can be told apart.
 */
#ifndef XQUEUE_TESTS_HISTORY_H
#define XQUEUE_TESTS_HISTORY_H

#include "server/base/buffer.h"
#include "tests/support/grader.h"
#include "tests/support/sink.h"

enum event_kind { EVENT_SUBMIT, EVENT_PULL, EVENT_PUT, EVENT_KINDS };

enum event_outcome {
    OUTCOME_OK,
    OUTCOME_REFUSED, /* in the protocol's words: nothing has happened */
    OUTCOME_UNKNOWN, /* no reply, or 503: it may have happened */
    OUTCOME_WRONG,   /* a reply that must not be */
    OUTCOMES
};

struct event {
    enum event_kind kind;
    enum event_outcome outcome;
    int64_t number;   /* of the submission; -1 when not known */
    char key[40];     /* of the lease; "" for a submit */
    int64_t begin_us; /* clock_monotonic_us() */
    int64_t end_us;
};

struct history;

/*
 * Of a queue that graders pull from, or that is pushed to one of grader.h.
 * Borrows the name.
 */
struct history *history_new(const char *queue);
struct history *history_new_pushed(const char *queue);
void history_free(struct history *history);

/* Any thread. */
void history_add(struct history *history, const struct event *event);
int64_t history_count(struct history *history, enum event_kind kind,
                      enum event_outcome outcome);

/* A server was killed just now. */
void history_add_kill(struct history *history);

/* What clients send for a number. `origin` is that of the sink. */
void history_write_header(const struct history *history, struct buffer *buffer,
                          const char *origin, int64_t number);
void history_write_body(struct buffer *buffer, int64_t number);
void history_write_result(struct buffer *buffer, int64_t number,
                          const char *key);

/* The number in front of a body; -1 when it is none of ours. */
int64_t history_number_of(struct text body);

struct history_facts {
    const char *origin;
    struct received_list received; /* all that the sink got */
    int64_t lease_us;              /* of a pull */
    struct graded_list graded;     /* all that came to the grader */
    size_t pushes_at_once;         /* whose grades are not stored */
    size_t deliveries_at_once;     /* that a server may have under way */
    bool has_faults; /* otherwise all are served, and nothing comes twice */
};

struct history_counts {
    int64_t submitted; /* acknowledged */
    int64_t unknown;   /* submits that may have happened, and those that did: */
    int64_t recovered;
    int64_t pulled_again;
    int64_t graded_again;
    int64_t received_again;
};

/*
 * NULL, or what is wrong: the first of each kind in words, freed by the
 * caller. All that was stored must have been delivered before.
 */
char *history_check(struct history *history, const struct history_facts *facts,
                    struct history_counts *ret_counts);

/* The same questions to the newest database of mariadb.h, by SQL alone. */
char *history_check_database(struct history *history);

#endif
