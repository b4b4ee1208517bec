/*
 * The key of an uploaded file.
 */
#include "server/storage/file_key.h"

#include "server/base/buffer.h"
#include "server/base/crypto.h"

_Static_assert(FILE_KEY_SIZE + 1 == MD5_HEX_SIZE, "a key is an MD5");

void file_key(struct text header, struct text name,
              char ret_key[FILE_KEY_SIZE + 1])
{
    struct buffer both = {NULL, 0, 0};

    buffer_append_text(&both, header);
    buffer_append_text(&both, name);
    crypto_md5_hex(buffer_text(&both), ret_key);
    buffer_free(&both);
}

void file_key_new(char ret_key[FILE_KEY_SIZE + 1])
{
    unsigned char random[FILE_KEY_SIZE / 2];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, ret_key);
}

bool file_key_is_valid(struct text key)
{
    if (text_is_absent(key) || key.size != FILE_KEY_SIZE)
        return false;
    for (size_t i = 0; i < key.size; i++) {
        const char digit = key.data[i];

        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f')))
            return false;
    }
    return true;
}
