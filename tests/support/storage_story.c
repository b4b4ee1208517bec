/*
 * Tests of a local storage.
 */
#include "tests/support/storage_story.h"

#include "server/task/loop.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TASKS = 1024 };

enum kind { PUT, GET, DELETE, LIST, OPEN, READ };

struct errand {
    enum kind kind;
    void *job;
};

struct storage *storage;
struct env storage_env;
char storage_root[64];

/* They wait for the end of the test, with what is in their arenas. */
static struct task *tasks[MOST_TASKS];
static size_t task_count;
static size_t done_count;
static size_t expected_count;

static void run(enum kind kind, void *job);
static void begin(enum kind kind, void *job);
static enum step first_step(struct task *task);
static enum step second_step(struct task *task);
static enum step last_step(struct task *task);
static void remove_all(const char *path);

void storage_story_begin(void)
{
    snprintf(storage_root, sizeof storage_root, "/tmp/xqueue-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(storage_root));
    storage = NULL;
    storage_story_restart();
}

void storage_story_end(void)
{
    while (task_count > 0)
        task_resume(tasks[--task_count]);
    storage_story_stop();
    ck_assert_uint_eq(storage_env.tasks, 0);
    remove_all(storage_root);
}

void storage_story_stop(void)
{
    storage_stop(storage);
    loop_free(storage_env.loop);
}

void storage_story_restart(void)
{
    const struct storage_settings settings = storage_story_settings();
    char *error = NULL;

    storage_env = (struct env){.loop = loop_new()};
    storage = storage_start(&storage_env, &settings, &error);
    ck_assert_msg(storage != NULL, "%s", error);
}

struct storage_settings storage_story_settings(void)
{
    return (struct storage_settings){
        .media_root = storage_root,
        .media_url = "/media/",
        .secret = text_of("the secret"),
        .link_lifetime_s = 3600,
    };
}

char *storage_story_error(const struct storage_settings *settings)
{
    char *error = NULL;

    ck_assert_ptr_null(storage_start(&storage_env, settings, &error));
    ck_assert_ptr_nonnull(error);
    return error;
}

void do_put(struct storage_put *put)
{
    run(PUT, put);
}

void do_get(struct storage_get *get)
{
    run(GET, get);
}

void do_delete(struct storage_delete *job)
{
    run(DELETE, job);
}

void do_list(struct storage_list *list)
{
    run(LIST, list);
}

void do_open(struct storage_open *open)
{
    run(OPEN, open);
}

void do_read(struct storage_read *read)
{
    run(READ, read);
}

void do_puts(struct storage_put *puts, size_t count)
{
    expected_count = done_count + count;
    for (size_t i = 0; i < count; i++)
        begin(PUT, &puts[i]);
    if (done_count < expected_count)
        loop_run(storage_env.loop);
}

enum storage_status put_one(const char *queue, const char *name,
                            struct text content, struct storage_file *ret_file)
{
    struct storage_upload upload = {.name = text_of(name), .content = content};
    struct storage_put put = {
        .queue_name = text_of(queue),
        .header = text_of("header"),
        .uploads = &upload,
        .count = 1,
    };

    do_put(&put);
    ret_file->queue_name = put.queue_name;
    memcpy(ret_file->key, upload.key, sizeof upload.key);
    return put.status;
}

struct storage_put put_two(const char *first, const char *second)
{
    static struct storage_upload uploads[2];
    struct storage_put put = {
        .queue_name = text_of("q"),
        .header = text_of("header"),
        .uploads = uploads,
        .count = 2,
    };

    uploads[0] = (struct storage_upload){text_of("a.py"), text_of(first), ""};
    uploads[1] = (struct storage_upload){text_of("b.py"), text_of(second), ""};
    do_put(&put);
    return put;
}

struct storage_file file_at(const char *queue, const char *key)
{
    struct storage_file file = {.queue_name = text_of(queue)};

    snprintf(file.key, sizeof file.key, "%s", key);
    return file;
}

char *content_of_size(size_t size)
{
    char *content = malloc(size + 1);

    ck_assert_ptr_nonnull(content);
    memset(content, 'x', size);
    content[size] = '\0';
    return content;
}

const char *content_of(const struct storage_file *file)
{
    struct storage_get get = {.file = *file, .max_bytes = 1000};

    do_get(&get);
    return get.status == STORAGE_OK ? get.content.data : NULL;
}

bool is_there(const char *path)
{
    struct stat facts;

    return lstat(below_root(path), &facts) == 0;
}

size_t count_names(const char *path)
{
    DIR *names = opendir(below_root(path));
    size_t count = 0;

    ck_assert_ptr_nonnull(names);
    while (readdir(names) != NULL)
        count++;
    closedir(names);
    return count - 2;
}

void make_file(const char *path, const char *content)
{
    FILE *file = fopen(below_root(path), "we");

    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

const char *below_root(const char *path)
{
    static char whole[1024];

    snprintf(whole, sizeof whole, "%s/%s", storage_root, path);
    return whole;
}

static void run(enum kind kind, void *job)
{
    expected_count = done_count + 1;
    begin(kind, job);
    if (done_count < expected_count)
        loop_run(storage_env.loop);
}

static void begin(enum kind kind, void *job)
{
    struct task *task = task_new(&storage_env, sizeof(struct errand));
    struct errand *errand = task->self;

    ck_assert_uint_lt(task_count, MOST_TASKS);
    tasks[task_count++] = task;
    *errand = (struct errand){kind, job};
    task_run(task, first_step);
}

static enum step first_step(struct task *task)
{
    const struct errand *errand = task->self;

    switch (errand->kind) {
    case PUT:
        return storage_await_put(storage, task, errand->job, second_step);
    case GET:
        return storage_await_get(storage, task, errand->job, second_step);
    case DELETE:
        return storage_await_delete(storage, task, errand->job, second_step);
    case LIST:
        return storage_await_list(storage, task, errand->job, second_step);
    case OPEN:
        return storage_await_open(storage, task, errand->job, second_step);
    case READ:
        return storage_await_read(storage, task, errand->job, second_step);
    }
    abort();
}

static enum step second_step(struct task *task)
{
    done_count++;
    if (done_count == expected_count)
        loop_stop(task->env->loop);
    return task_wait(task, last_step);
}

static enum step last_step(struct task *task)
{
    return task_end(task);
}

static void remove_all(const char *path)
{
    DIR *names = opendir(path);
    const struct dirent *entry;
    char below[1024];

    while (names != NULL && (entry = readdir(names)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (unlink(below) != 0)
            remove_all(below);
    }
    if (names != NULL)
        closedir(names);
    rmdir(path);
}
