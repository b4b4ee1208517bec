/*
 * Moments as Amazon's services write them.
 */
#include "server/storage/iso_time.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

static const char pattern[] = "dddd-dd-ddTdd:dd:dd";

static bool matches(struct text text);
static bool ends_well(struct text rest);
static int number_at(struct text text, size_t position, size_t size);

bool iso_time_parse(struct text text, int64_t *ret_us)
{
    const size_t size = sizeof pattern - 1;
    struct tm moment = {.tm_isdst = 0};

    if (!matches(text) ||
        !ends_well((struct text){text.data + size, text.size - size}))
        return false;
    moment.tm_year = number_at(text, 0, 4) - 1900;
    moment.tm_mon = number_at(text, 5, 2) - 1;
    moment.tm_mday = number_at(text, 8, 2);
    moment.tm_hour = number_at(text, 11, 2);
    moment.tm_min = number_at(text, 14, 2);
    moment.tm_sec = number_at(text, 17, 2);
    if (moment.tm_year < 70 || moment.tm_mon < 0 || moment.tm_mon > 11 ||
        moment.tm_mday < 1 || moment.tm_mday > 31 || moment.tm_hour > 23 ||
        moment.tm_min > 59 || moment.tm_sec > 60)
        return false;
    *ret_us = (int64_t)timegm(&moment) * 1000000;
    return true;
}

static bool matches(struct text text)
{
    if (text.size < sizeof pattern - 1)
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        const char byte = text.data[i];

        if (pattern[i] == 'd' ? isdigit((unsigned char)byte) == 0
                              : byte != pattern[i])
            return false;
    }
    return true;
}

/* "Z", or ".000Z". */
static bool ends_well(struct text rest)
{
    size_t i = 0;

    if (rest.size > 0 && rest.data[0] == '.') {
        for (i = 1; i < rest.size; i++) {
            if (isdigit((unsigned char)rest.data[i]) == 0)
                break;
        }
    }
    return i + 1 == rest.size && rest.data[i] == 'Z';
}

static int number_at(struct text text, size_t position, size_t size)
{
    int number = 0;

    for (size_t i = position; i < position + size; i++)
        number = number * 10 + (text.data[i] - '0');
    return number;
}
