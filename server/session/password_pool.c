/*
 * Threads that check passwords.
 *
 * After a start the same client asks about the same password many times
 * before the first answer is there. Such checks have a group in common, by
 * which the workers run them together, and cost one hash.
 */
#include "server/session/password_pool.h"

#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/base/password.h"

#include <stdlib.h>
#include <string.h>

struct password_pool {
    struct workers *workers;
    int least_iterations;
    unsigned char key[SHA256_SIZE]; /* random; so nobody can aim at a group */
};

static void run_checks(void *context, struct job **jobs, size_t count);
static bool is_same(const struct password_check *left,
                    const struct password_check *right);
static uint64_t group_of(const struct password_pool *pool,
                         const struct password_check *check);
static void check_done(struct job *job, bool ran);
static void copy_texts(struct password_check *check, struct text password,
                       struct text stored);
static struct text append_text(struct password_check *check, struct text text);
static void wipe_texts(struct password_check *check);

static const struct job_kind check_kind = {
    .name = "password",
    .max_batch = PASSWORD_POOL_WAITING,
    .run = run_checks,
};

struct password_pool *
password_pool_start(const struct password_pool_settings *settings)
{
    const struct workers_settings workers = {
        .name = "password",
        .threads = settings->threads,
        .max_waiting = PASSWORD_POOL_WAITING,
        .wake = settings->wake,
        .wake_context = settings->wake_context,
    };
    struct password_pool *pool = xcalloc(1, sizeof *pool);

    pool->least_iterations = settings->least_iterations;
    crypto_random(pool->key, sizeof pool->key);
    pool->workers = workers_start(&workers);
    return pool;
}

bool password_pool_submit(struct password_pool *pool,
                          struct password_check *check, struct text password,
                          struct text stored)
{
    check->matches = false;
    check->canceled = false;
    check->least_iterations = pool->least_iterations;
    check->job = (struct job){.kind = &check_kind, .done = check_done};
    copy_texts(check, password, stored);
    check->job.group = group_of(pool, check);
    if (workers_submit(pool->workers, &check->job))
        return true;
    wipe_texts(check);
    return false;
}

void password_pool_collect(struct password_pool *pool)
{
    workers_collect(pool->workers);
}

size_t password_pool_pending(struct password_pool *pool)
{
    return workers_pending(pool->workers);
}

void password_pool_stop(struct password_pool *pool)
{
    if (pool == NULL)
        return;
    workers_stop(pool->workers);
    free(pool);
}

/* Worker. */
static void run_checks(void *context, struct job **jobs, size_t count)
{
    const struct password_check *first =
        CONTAINER_OF(jobs[0], struct password_check, job);

    (void)context;
    for (size_t i = 0; i < count; i++) {
        struct password_check *check =
            CONTAINER_OF(jobs[i], struct password_check, job);

        if (i > 0 && is_same(check, first))
            check->matches = first->matches;
        else
            check->matches = password_verify(check->password, check->stored,
                                             check->least_iterations);
    }
}

static bool is_same(const struct password_check *left,
                    const struct password_check *right)
{
    return crypto_equal(left->password, right->password) &&
           text_equal(left->stored, right->stored);
}

/* Equal checks have equal groups; others almost never. */
static uint64_t group_of(const struct password_pool *pool,
                         const struct password_check *check)
{
    const struct text key = {(const char *)pool->key, sizeof pool->key};
    unsigned char digest[SHA256_SIZE];
    uint64_t group;

    crypto_hmac_sha256(key, (struct text){check->memory, check->memory_size},
                       digest);
    memcpy(&group, digest, sizeof group);
    return group;
}

static void check_done(struct job *job, bool ran)
{
    struct password_check *check =
        CONTAINER_OF(job, struct password_check, job);

    check->canceled = !ran;
    wipe_texts(check);
    check->done(check);
}

/* A password that is refused for its size anyway is not copied. */
static void copy_texts(struct password_check *check, struct text password,
                       struct text stored)
{
    if (password.size > PASSWORD_MAX_SIZE)
        password = TEXT_ABSENT;
    check->memory = xmalloc(password.size + stored.size);
    check->memory_size = 0;
    check->password = append_text(check, password);
    check->stored = append_text(check, stored);
}

static struct text append_text(struct password_check *check, struct text text)
{
    char *copy = check->memory + check->memory_size;

    if (text_is_absent(text))
        return TEXT_ABSENT;
    memcpy(copy, text.data, text.size);
    check->memory_size += text.size;
    return (struct text){copy, text.size};
}

static void wipe_texts(struct password_check *check)
{
    crypto_wipe(check->memory, check->memory_size);
    free(check->memory);
    check->memory = NULL;
    check->password = TEXT_ABSENT;
    check->stored = TEXT_ABSENT;
}
