/*
 * Listing the files in S3, a page of at most a thousand objects at a time.
 * S3 lists by name, byte by byte, whatever comes and goes in between.
 */
#include "server/storage/s3_call.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "server/storage/s3_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_PAGE = 8 * 1024 * 1024, MOST_PARAMETERS = 4 };

struct listing {
    struct s3_call call;
    struct storage_list *list;
    struct task *parent;
    struct sigv4_pair query[MOST_PARAMETERS];
};

static enum step list_begins(struct task *task);
static enum step page_fetched(struct task *task);
static void take_page(struct listing *listing, const struct s3_page *page,
                      struct text prefix);
static bool read_name(struct text name, struct text prefix,
                      struct storage_file *ret_file);

enum step s3_await_list(struct storage *storage, struct task *task,
                        struct storage_list *list, task_step *next)
{
    const struct listing listing = {
        .call = {.s3 = storage->state},
        .list = list,
        .parent = task,
    };

    return s3_await(task, &listing, sizeof listing, list_begins, next);
}

static enum step list_begins(struct task *task)
{
    struct listing *listing = task->self;
    struct s3_call *call = &listing->call;
    const char *marker = listing->list->marker;
    struct sigv4_pair *query = listing->query;

    query[0] = (struct sigv4_pair){text_of("list-type"), text_of("2")};
    query[1] = (struct sigv4_pair){text_of("encoding-type"), text_of("url")};
    query[2] = (struct sigv4_pair){
        text_of("prefix"),
        s3_object_name(&call->s3->bucket, text_of(""), task->arena),
    };
    query[3] =
        (struct sigv4_pair){text_of("continuation-token"), text_of(marker)};
    call->method = "GET";
    call->query = query;
    call->query_count = marker == NULL ? 3 : 4;
    call->max_reply_bytes = LARGEST_PAGE;
    call->deadline_ms = clock_monotonic_ms() + S3_WORK_MS;
    return s3_call_await(call, task, page_fetched);
}

static enum step page_fetched(struct task *task)
{
    struct listing *listing = task->self;
    struct storage_list *list = listing->list;
    struct task *parent = listing->parent;
    struct s3_call *call = &listing->call;
    struct s3_page page;

    list->status = STORAGE_UNAVAILABLE;
    snprintf(list->reason, sizeof list->reason, "%s", call->reason);
    if (call->status == STORAGE_OK &&
        !s3_xml_page(buffer_text(&call->reply), parent->arena, &page)) {
        snprintf(list->reason, sizeof list->reason,
                 "S3 answered something that is no list");
    } else if (call->status == STORAGE_OK) {
        list->status = STORAGE_OK;
        take_page(listing, &page, listing->query[2].value);
    }
    s3_call_free(call);
    return s3_end(task, parent);
}

static void take_page(struct listing *listing, const struct s3_page *page,
                      struct text prefix)
{
    struct storage_list *list = listing->list;

    list->files = arena_zalloc(listing->parent->arena,
                               (page->count + 1) * sizeof *list->files);
    for (size_t i = 0; i < page->count; i++) {
        struct storage_file *file = &list->files[list->count];

        if (!read_name(page->objects[i].name, prefix, file))
            continue;
        file->size = page->objects[i].size;
        file->modified_us = page->objects[i].modified_us;
        list->count++;
    }
    free(list->marker);
    list->marker =
        text_is_absent(page->token) ? NULL : xstrdup(page->token.data);
    list->more = list->marker != NULL;
}

/* PREFIX/QUEUE/KEY, and no other; `prefix` has the '/' at its end. */
static bool read_name(struct text name, struct text prefix,
                      struct storage_file *ret_file)
{
    struct text queue;
    struct text key;

    if (name.size < prefix.size + 1 + FILE_KEY_SIZE ||
        memcmp(name.data, prefix.data, prefix.size) != 0)
        return false;
    key = (struct text){name.data + name.size - FILE_KEY_SIZE, FILE_KEY_SIZE};
    queue = (struct text){name.data + prefix.size,
                          name.size - prefix.size - 1 - FILE_KEY_SIZE};
    if (key.data[-1] != '/' || !file_key_is_valid(key) ||
        (queue.size > 0 && memchr(queue.data, '/', queue.size) != NULL))
        return false;
    ret_file->queue_name = queue;
    memcpy(ret_file->key, key.data, FILE_KEY_SIZE);
    ret_file->key[FILE_KEY_SIZE] = '\0';
    return true;
}
