/*
 * What a queue is called where its files are.
 */
#include "server/storage/queue_name.h"

#include "server/base/crypto.h"
#include "server/base/percent.h"

#include <string.h>

#define DIGEST_PREFIX "%sha256-"

static size_t encode(struct text name, bool (*is_plain)(unsigned char byte),
                     char *ret_text, size_t room);
static bool is_plain_in_folder(unsigned char byte);
static bool is_plain_in_url(unsigned char byte);

enum queue_folder_form queue_folder_of(struct text queue_name,
                                       char ret_folder[QUEUE_FOLDER_SIZE])
{
    const size_t size =
        encode(queue_name, is_plain_in_folder, ret_folder, QUEUE_FOLDER_SIZE);

    if (size > 0 && size < QUEUE_FOLDER_SIZE)
        return QUEUE_FOLDER_NAME;
    memcpy(ret_folder, DIGEST_PREFIX, sizeof DIGEST_PREFIX);
    crypto_sha256_hex(queue_name, ret_folder + sizeof DIGEST_PREFIX - 1);
    return QUEUE_FOLDER_DIGEST;
}

bool queue_of_folder(const char *folder, struct arena *arena,
                     struct text *ret_queue_name)
{
    const struct text name =
        percent_decode(arena, text_of(folder), PERCENT_PLUS_STAYS);
    char again[QUEUE_FOLDER_SIZE];

    if (queue_folder_of(name, again) != QUEUE_FOLDER_NAME ||
        strcmp(again, folder) != 0)
        return false;
    *ret_queue_name = name;
    return true;
}

struct text queue_in_url(struct text queue_name, struct arena *arena)
{
    const size_t room = 3 * queue_name.size + 1;
    char *encoded = arena_alloc(arena, room);

    return (struct text){encoded,
                         encode(queue_name, is_plain_in_url, encoded, room)};
}

/*
 * The size of the whole, NUL-terminated if that is less than the room. A dot
 * in front makes a hidden folder, or one that is none of its own.
 */
static size_t encode(struct text name, bool (*is_plain)(unsigned char byte),
                     char *ret_text, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;

    for (size_t i = 0; i < name.size; i++) {
        const unsigned char byte = (unsigned char)name.data[i];
        const bool stays = is_plain(byte) && !(byte == '.' && i == 0);
        const size_t more = stays ? 1 : 3;

        if (size + more < room && stays) {
            ret_text[size] = (char)byte;
        } else if (size + more < room) {
            ret_text[size] = '%';
            ret_text[size + 1] = digits[byte >> 4];
            ret_text[size + 2] = digits[byte & 15];
        }
        size += more;
    }
    if (size < room)
        ret_text[size] = '\0';
    return size;
}

static bool is_plain_in_folder(unsigned char byte)
{
    return byte >= 0x20 && byte != 0x7F && byte != '/' && byte != '%';
}

static bool is_plain_in_url(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("_-.~", byte) != NULL);
}
