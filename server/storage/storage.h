/*
 * Where uploaded files are kept: a folder (MEDIA_ROOT) or an S3 bucket, as
 * the configuration says. Loop thread, but for storage_link().
 *
 * A file is known by its queue and its key, 32 hexadecimal digits. No name that
 * a client sends is ever part of a path.
 *
 * A file belongs to the one put that made it, and is never replaced: so who
 * takes back what he has put, or deletes what an old submission had, cannot
 * hit the file of another one. The key is the MD5 of xqueue_header and the
 * field name (R56) where nobody has it; else, and in S3, where two servers
 * cannot agree on who came first, random digits.
 */
#ifndef XQUEUE_STORAGE_STORAGE_H
#define XQUEUE_STORAGE_STORAGE_H

#include "server/base/text.h"
#include "server/task/task.h"

struct storage;

enum {
    FILE_KEY_SIZE = 32,
    STORAGE_REASON_SIZE = 160,
    STORAGE_PIECE_BYTES = 256 * 1024 /* at most, of one storage_read */
};

enum storage_status {
    STORAGE_OK,
    STORAGE_NOT_FOUND,
    STORAGE_UNAVAILABLE /* full, broken, away, or refusing us */
};

struct storage_settings {
    /* A folder; or NULL, and S3 is meant. */
    const char *media_root;
    const char *media_url;  /* "/media/": begins and ends with '/' */
    const char *public_url; /* "https://xqueue.example.org"; NULL: not known */
    bool unsigned_links;    /* of local files: as open as the Django server's */
    struct text secret;     /* what local links are signed with */
    int64_t link_lifetime_s;

    /* S3. */
    const char *bucket;
    const char *prefix;   /* in front of each name; "" for none */
    const char *endpoint; /* "https://s3.example.org"; NULL: Amazon's */
    const char *region; /* NULL: AWS_REGION of the environment, or us-east-1 */
    const char *addressing; /* "auto", "virtual", "path"; NULL: "auto" */
    const char *access_key; /* NULL: look in the environment and the machine */
    const char *secret_key;
    const char *session_token; /* may be NULL */
    bool verify_tls;
    const char *ca_file; /* NULL: the system's */
};

/*
 * Copies the settings. NULL with a reason in *ret_error, which the caller
 * frees, when they cannot work: no such folder, no right to write in it.
 */
struct storage *storage_start(struct env *env,
                              const struct storage_settings *settings,
                              char **ret_error);

/* Nothing is under way any more. NULL is legal. */
void storage_stop(struct storage *storage);

/* --- storing ---------------------------------------------------------- */

struct storage_upload {
    struct text name;            /* the field name: the learner's file name */
    struct text content;         /* the request's; gone after the put */
    char key[FILE_KEY_SIZE + 1]; /* out */
};

/*
 * All or none: with any status but STORAGE_OK no file is left behind. With
 * STORAGE_OK every file is durable.
 *
 * While S3 is away it keeps what it may have got just before.
 */
struct storage_put {
    struct text queue_name;
    struct text header; /* xqueue_header: part of each key */
    struct storage_upload *uploads;
    size_t count;

    /*
     * Submissions of the same header have been, and their files may be going
     * just now: random keys for these.
     */
    bool is_repeated;

    enum storage_status status; /* out, and why */
    char reason[STORAGE_REASON_SIZE];
};
enum step storage_await_put(struct storage *storage, struct task *task,
                            struct storage_put *put,
                            task_step *next) MUST_CHECK;

/* --- reading, deleting, listing --------------------------------------- */

struct storage_file {
    struct text queue_name;
    char key[FILE_KEY_SIZE + 1];
    int64_t size;        /* of a listed file, in bytes */
    int64_t modified_us; /* likewise, since 1970 */
};

/* One whole small file, such as the map of an old submission. */
struct storage_get {
    struct storage_file file;
    size_t max_bytes; /* a larger one counts as STORAGE_UNAVAILABLE */

    struct text content; /* out; lives in the task's arena */
    enum storage_status status;
    char reason[STORAGE_REASON_SIZE];
};

enum step storage_await_get(struct storage *storage, struct task *task,
                            struct storage_get *get,
                            task_step *next) MUST_CHECK;

/*
 * Those that are not there do not matter. Bounded work for any count. What
 * cannot be deleted is passed over: the others go all the same, and the
 * status is STORAGE_UNAVAILABLE.
 */
struct storage_delete {
    const struct storage_file *files;
    size_t count;

    size_t deleted; /* out */
    enum storage_status status;
    char reason[STORAGE_REASON_SIZE];
};

enum step storage_await_delete(struct storage *storage, struct task *task,
                               struct storage_delete *job,
                               task_step *next) MUST_CHECK;

/*
 * The files that there are, in pages; only those whose name is a key. In the
 * order of the queues' folders and the keys: what is there all the while is
 * listed once, whatever comes and goes in between. A page of a local storage
 * also removes what writers that died left behind more than an hour ago,
 * under names that are no keys.
 */
struct storage_list {
    /*
     * NULL to begin with; then as the last page left it, which is NULL after
     * the last one. A page that failed leaves it alone. From malloc(); owns.
     */
    char *marker;

    struct storage_file *files; /* out; in the task's arena */
    size_t count;
    bool more; /* out */
    enum storage_status status;
    char reason[STORAGE_REASON_SIZE];
};

enum step storage_await_list(struct storage *storage, struct task *task,
                             struct storage_list *list,
                             task_step *next) MUST_CHECK;

/* --- serving: a local file in pieces ---------------------------------- */

struct storage_reader;

struct storage_open {
    struct storage_file file; /* queue and key; out: size and modified_us */

    /* Out: what storage_close() must have; NULL but with STORAGE_OK. */
    struct storage_reader *reader;
    enum storage_status status;
    char reason[STORAGE_REASON_SIZE];
};

/* In S3 nothing is found: its links lead there. */
enum step storage_await_open(struct storage *storage, struct task *task,
                             struct storage_open *open,
                             task_step *next) MUST_CHECK;

struct storage_read {
    struct storage_reader *reader;
    int64_t offset;
    char *buffer; /* borrows; not to be touched until the step */
    size_t size;  /* at most STORAGE_PIECE_BYTES */

    size_t got; /* out: less than `size` at the end of the file only */
    enum storage_status status;
    char reason[STORAGE_REASON_SIZE];
};

enum step storage_await_read(struct storage *storage, struct task *task,
                             struct storage_read *read,
                             task_step *next) MUST_CHECK;

/* Nothing is being read from it. At once; NULL is legal. */
void storage_close(struct storage_reader *reader);

/* --- links ------------------------------------------------------------ */

/*
 * The URL at which a grader fetches the file: signed, and good for
 * UPLOAD_URL_EXPIRE from now_s (at S3 seven days at most). `base` stands in
 * front of the path of a local file when PUBLIC_URL is not set:
 * "http://xqueue:18040"; absent: only the path. Absent when there is nothing to
 * sign with: a role's credentials for S3 have not come. Any thread.
 */
struct text storage_link(const struct storage *storage, struct arena *arena,
                         struct text queue_name, const char *key,
                         struct text base, int64_t now_s);

enum storage_link_state {
    STORAGE_LINK_VALID,
    STORAGE_LINK_EXPIRED, /* but it was one of ours */
    STORAGE_LINK_BAD
};

/*
 * What a request for a local file with this query ("expires=...", without the
 * '?'; may be absent) is worth. In constant time as to the signature. Whether
 * the file is there is another question. Any thread.
 */
enum storage_link_state storage_link_check(const struct storage *storage,
                                           struct text queue_name,
                                           struct text key, struct text query,
                                           int64_t now_s);

#endif
