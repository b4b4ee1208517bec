/*
 * Storing a submission: the LMS's side of the queue.
 */
#ifndef XQUEUE_DB_SUBMIT_H
#define XQUEUE_DB_SUBMIT_H

#include "db/files.h"
#include "db/hot_set.h"
#include "db/pool.h"

/*
 * One transaction stores the submission, makes it wait in its queue, and
 * retires the earlier one of the same problem, if any: nobody gets it any
 * more, its result will be stored but not delivered, and a callback that was
 * still to be delivered is dropped. Concurrent submits share a transaction.
 */
struct submission_insert {
    struct db_job job;

    /* In; texts are borrowed until done and valid UTF-8. */
    int64_t queue_id;
    struct text queue_name;
    struct text requester_id; /* at most 128 characters */
    struct text callback_url; /* whole; the column gets 128 characters */
    struct text header;       /* at most 16 KiB */
    struct text body;
    struct file_texts files;
    unsigned char problem[PROBLEM_SIZE];
    int64_t destination;

    /* Out. */
    int64_t id;
    int64_t waiting; /* in the queue, this one included */
    bool superseded; /* by a later one of the same batch */
};

extern const struct db_op submission_insert_op;

/*
 * Is there a submission with the same header, from whenever? It may have files
 * under the same keys.
 */
struct submission_known {
    struct db_job job;

    struct text queue_name; /* borrowed until done, as the others */
    struct text callback_url;
    struct text header;
    bool is_known; /* out */
};

extern const struct db_op submission_known_op;

#endif
