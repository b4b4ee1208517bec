/*
 * A list of cookies.
 */
#include "tests/support/cookie_jar.h"

#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cookie_entry {
    struct cookie_entry *next;
    char *name;
    char *value;
};

struct cookie_jar {
    struct cookie_entry *first;
};

static struct cookie_entry **find(const struct cookie_jar *jar,
                                  const char *name);

struct cookie_jar *cookie_jar_new(void)
{
    return xcalloc(1, sizeof(struct cookie_jar));
}

void cookie_jar_free(struct cookie_jar *jar)
{
    while (jar->first != NULL)
        cookie_jar_set(jar, jar->first->name, NULL);
    free(jar);
}

void cookie_jar_take(struct cookie_jar *jar, struct text field)
{
    char *copy = xasprintf("%.*s", TEXT_ARGUMENTS(field));
    char *rest = strchr(copy, ';');
    char *value = strchr(copy, '=');
    bool is_gone = false;

    if (rest != NULL)
        *rest++ = '\0';
    if (value != NULL && (rest == NULL || value < rest)) {
        *value++ = '\0';
        if (rest != NULL) {
            const char *age = strcasestr(rest, "max-age=");

            is_gone = age != NULL && strtol(age + 8, NULL, 10) <= 0;
        }
        cookie_jar_set(jar, copy, is_gone ? NULL : value);
    }
    free(copy);
}

void cookie_jar_write(const struct cookie_jar *jar, struct buffer *field)
{
    for (struct cookie_entry *entry = jar->first; entry != NULL;
         entry = entry->next)
        buffer_printf(field, "%s%s=%s", entry == jar->first ? "" : "; ",
                      entry->name, entry->value);
}

const char *cookie_jar_get(const struct cookie_jar *jar, const char *name)
{
    struct cookie_entry *entry = *find(jar, name);

    return entry == NULL ? NULL : entry->value;
}

void cookie_jar_set(struct cookie_jar *jar, const char *name, const char *value)
{
    struct cookie_entry **place = find(jar, name);
    struct cookie_entry *old = *place;
    struct cookie_entry *entry;

    if (value != NULL) {
        entry = xcalloc(1, sizeof *entry);
        entry->name = xstrdup(name);
        entry->value = xstrdup(value);
        entry->next = old == NULL ? NULL : old->next;
        *place = entry;
    } else if (old != NULL) {
        *place = old->next;
    }
    if (old != NULL) {
        free(old->name);
        free(old->value);
        free(old);
    }
}

/* Where the cookie of that name is, or the end of the list. */
static struct cookie_entry **find(const struct cookie_jar *jar,
                                  const char *name)
{
    struct cookie_entry **place = &((struct cookie_jar *)jar)->first;

    while (*place != NULL && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}
