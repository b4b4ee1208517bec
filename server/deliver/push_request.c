/*
 * What a grader is sent, as Python writes it.
 */
#include "server/deliver/push_request.h"

#include "server/base/json.h"

static void write_files(struct push_request *request, struct text files);

void push_request_write(struct push_request *request, struct arena *arena,
                        const struct file_links *links,
                        const struct push_item *item)
{
    struct text files;

    buffer_append_string(&request->json, "{\"xqueue_body\": ");
    json_append_string(&request->json, item->body);
    buffer_append_string(&request->json, ", \"xqueue_files\": ");
    request->state = PUSH_REQUEST_NEEDS_MAP;
    switch (file_map_links(arena, links, item->files.keys, item->files.urls,
                           &files, request->map_key)) {
    case FILE_MAP_WRITTEN:
        write_files(request, files);
        break;
    case FILE_MAP_IN_FILE:
        break;
    case FILE_MAP_GONE:
        request->state = PUSH_REQUEST_BROKEN;
        break;
    case FILE_MAP_AWAY:
        request->state = PUSH_REQUEST_AWAY;
        break;
    }
}

void push_request_add_map(struct push_request *request, struct arena *arena,
                          const struct file_links *links,
                          const struct storage_get *get)
{
    struct text files;

    if (get->status == STORAGE_UNAVAILABLE)
        request->state = PUSH_REQUEST_AWAY;
    else if (get->status == STORAGE_OK &&
             file_map_read(arena, links, get->content, &files))
        write_files(request, files);
    else
        request->state = PUSH_REQUEST_BROKEN;
}

static void write_files(struct push_request *request, struct text files)
{
    json_append_string(&request->json, files);
    buffer_append_char(&request->json, '}');
    request->state = PUSH_REQUEST_WHOLE;
}
