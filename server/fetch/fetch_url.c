/*
 * A URL that we may fetch.
 *
 * The host is read by curl's own parser, so what the allow-list sees is what
 * curl connects to. The authority is held to a narrow alphabet before that,
 * so that no two parsers can disagree about it.
 */
#include "server/fetch/fetch_url.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_plain(char character);
static bool authority_is_plain(const char *url);
static char *quote(const char *url);
static bool read_parts(const char *url, struct fetch_url *ret_url);
static bool read_with(CURLU *parser, const char *url,
                      struct fetch_url *ret_url);
static CURLU *parser_new(void);
static char *part_of(CURLU *parser, CURLUPart part, unsigned flags);
static char *join(const char *base, const char *location);

bool fetch_url_parse(const char *url, struct fetch_url *ret_url)
{
    struct fetch_url parsed = {.url = NULL};

    url += strspn(url, " \t\r\n\v\f");
    if (!authority_is_plain(url))
        return false;
    parsed.url = quote(url);
    if (!read_parts(parsed.url, &parsed)) {
        free(parsed.url);
        return false;
    }
    *ret_url = parsed;
    return true;
}

bool fetch_url_join(const struct fetch_url *from, const char *location,
                    struct fetch_url *ret_url)
{
    char *joined;
    bool is_good;

    if (fetch_url_parse(location, ret_url))
        return true;
    joined = join(from->url, location);
    is_good = joined != NULL && fetch_url_parse(joined, ret_url);
    free(joined);
    return is_good;
}

void fetch_url_free(struct fetch_url *url)
{
    free(url->url);
    free(url->host);
    *url = (struct fetch_url){.url = NULL};
}

bool fetch_url_is_same_site(const struct fetch_url *from,
                            const struct fetch_url *to)
{
    if (strcasecmp(from->host, to->host) != 0)
        return false;
    if (!from->is_https && to->is_https && from->port == 80 && to->port == 443)
        return true;
    return from->is_https == to->is_https && from->port == to->port;
}

static bool is_plain(char character)
{
    return character > 0x20 && character < 0x7f;
}

static bool authority_is_plain(const char *url)
{
    size_t scheme_size;
    const char *authority;
    size_t size;

    if (strncasecmp(url, "http://", 7) == 0)
        scheme_size = 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        scheme_size = 8;
    else
        return false;
    authority = url + scheme_size;
    size = strcspn(authority, "/?#");
    for (size_t i = 0; i < size; i++) {
        if (!is_plain(authority[i]) || strchr("@%\\", authority[i]) != NULL)
            return false;
    }
    return size > 0;
}

static char *quote(const char *url)
{
    struct buffer quoted = {NULL, 0, 0};

    for (const char *c = url; *c != '\0'; c++) {
        if (is_plain(*c))
            buffer_append_char(&quoted, *c);
        else
            buffer_printf(&quoted, "%%%02X", (unsigned char)*c);
    }
    return quoted.data == NULL ? xstrdup("") : quoted.data;
}

static bool read_parts(const char *url, struct fetch_url *ret_url)
{
    CURLU *parser = parser_new();
    bool is_good;

    is_good = read_with(parser, url, ret_url);
    curl_url_cleanup(parser);
    return is_good;
}

static bool read_with(CURLU *parser, const char *url, struct fetch_url *ret_url)
{
    char *port;

    if (curl_url_set(parser, CURLUPART_URL, url,
                     CURLU_DISALLOW_USER | CURLU_PATH_AS_IS) != CURLUE_OK)
        return false;
    ret_url->host = part_of(parser, CURLUPART_HOST, 0);
    if (ret_url->host == NULL)
        return false;
    port = part_of(parser, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    ret_url->port = port == NULL ? 0 : strtol(port, NULL, 10);
    ret_url->is_https = strncasecmp(url, "https:", 6) == 0;
    free(port);
    return true;
}

/* A copy in our own memory; NULL when there is no such part. */
static char *part_of(CURLU *parser, CURLUPart part, unsigned flags)
{
    char *theirs = NULL;
    char *ours;

    if (curl_url_get(parser, part, &theirs, flags) != CURLUE_OK)
        return NULL;
    ours = xstrdup(theirs);
    curl_free(theirs);
    return ours;
}

/* NULL when the two make no URL. */
static char *join(const char *base, const char *location)
{
    CURLU *parser = parser_new();
    char *quoted = quote(location);
    char *joined = NULL;

    if (curl_url_set(parser, CURLUPART_URL, base, CURLU_PATH_AS_IS) ==
            CURLUE_OK &&
        curl_url_set(parser, CURLUPART_URL, quoted,
                     CURLU_DISALLOW_USER | CURLU_PATH_AS_IS) == CURLUE_OK)
        joined = part_of(parser, CURLUPART_URL, 0);
    free(quoted);
    curl_url_cleanup(parser);
    return joined;
}

static CURLU *parser_new(void)
{
    CURLU *parser = curl_url();

    if (parser == NULL)
        fatal("curl: no memory for a URL");
    return parser;
}
