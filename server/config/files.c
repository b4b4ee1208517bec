/*
 * Where uploaded files are kept: what the settings say together.
 */
#include "server/config/loading.h"

#include "server/config/checks.h"
#include "server/config/settings.h"

#include <string.h>
#include <strings.h>

static const struct yaml_node *read_member(struct loading *loading,
                                           const struct yaml_node *map,
                                           const char *name,
                                           struct place *place);
static void read_options(struct loading *loading, const struct yaml_node *map,
                         const struct place *parent);
static bool is_s3(const char *storage);
static bool is_folder(const char *storage);
static void settle_media_url(struct config *config);
static const char *without_last_slashes(struct arena *arena, const char *url);

/* Of its storages only the default one is for uploaded files. */
void loading_storages(struct loading *loading, const struct yaml_node *value)
{
    struct place place = place_in_file("STORAGES", value);
    const struct yaml_node *own;
    const struct yaml_node *backend;
    const struct yaml_node *options;
    struct place inner;

    if (value->kind != YAML_MAP) {
        loading_expected(loading, &place, "a map with `default`", value);
        return;
    }
    own = read_member(loading, value, "default", &place);
    if (own == NULL)
        return;
    if (own->kind != YAML_MAP) {
        loading_expected(loading, &place, "a map with `BACKEND`", own);
        return;
    }
    inner = place;
    backend = read_member(loading, own, "BACKEND", &inner);
    if (backend != NULL)
        loading_apply(loading, settings_find(text_of("DEFAULT_FILE_STORAGE")),
                      backend, &inner);
    inner = place;
    options = read_member(loading, own, "OPTIONS", &inner);
    if (options != NULL)
        read_options(loading, options, &inner);
}

/* NULL when there is none. *place becomes the member's. */
static const struct yaml_node *read_member(struct loading *loading,
                                           const struct yaml_node *map,
                                           const char *name,
                                           struct place *place)
{
    const struct yaml_node *value = yaml_tree_get(map, name);

    if (value == NULL || value->kind == YAML_NULL)
        return NULL;
    *place =
        place_in_file(place_name(loading, place->name, text_of(name)), value);
    return value;
}

/* As django-storages and Django's own storage of files call them. */
static void read_options(struct loading *loading, const struct yaml_node *map,
                         const struct place *parent)
{
    static const struct {
        const char *option;
        const char *setting;
    } names[] = {
        {"location", NULL}, /* depends on the storage */
        {"bucket_name", "UPLOAD_BUCKET"},
        {"access_key", "AWS_ACCESS_KEY_ID"},
        {"secret_key", "AWS_SECRET_ACCESS_KEY"},
        {"security_token", "AWS_SESSION_TOKEN"},
        {"endpoint_url", "AWS_S3_ENDPOINT_URL"},
        {"region_name", "AWS_S3_REGION_NAME"},
        {"addressing_style", "AWS_S3_ADDRESSING_STYLE"},
        {"signature_version", "AWS_S3_SIGNATURE_VERSION"},
        {"querystring_expire", "UPLOAD_URL_EXPIRE"},
        {"base_url", "MEDIA_URL"},
    };
    const char *location = is_s3(loading->config->file_storage)
                               ? "UPLOAD_PATH_PREFIX"
                               : "MEDIA_ROOT";

    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->pairs[i].key;
        const struct yaml_node *value = map->pairs[i].value;
        const char *name = place_name(loading, parent->name, key->text);
        struct place place = place_in_file(name, value);
        size_t n = 0;

        while (n < ARRAY_LENGTH(names) &&
               !text_equal_string(key->text, names[n].option))
            n++;
        if (n == ARRAY_LENGTH(names)) {
            loading_warning(loading, &place, LOADING_NOT_USED);
            continue;
        }
        loading_apply(
            loading,
            settings_find(text_of(names[n].setting == NULL ? location
                                                           : names[n].setting)),
            value, &place);
    }
}

void loading_settle_files(struct loading *loading)
{
    struct config *config = loading->config;
    struct place place = {FROM_TABLE, "DEFAULT_FILE_STORAGE", 0, 0};

    config->stores_in_s3 = is_s3(config->file_storage);
    if (!config->stores_in_s3 && !is_folder(config->file_storage))
        loading_warning(loading, &place,
                        "not a storage of this server: files are kept in "
                        "MEDIA_ROOT");
    place.name = "UPLOAD_BUCKET";
    if (config->stores_in_s3 && config->upload_bucket == NULL)
        loading_warning(loading, &place,
                        "missing: files cannot be stored in S3");
    place.name = "AWS_S3_SIGNATURE_VERSION";
    if (config->stores_in_s3 &&
        strcasecmp(config->aws_s3_signature_version, "s3v4") != 0)
        loading_warning(loading, &place,
                        "only s3v4 is known: links are signed with version 4");
    settle_media_url(config);
    if (config->public_url != NULL)
        config->public_url =
            without_last_slashes(config->arena, config->public_url);
    if (config->aws_s3_endpoint_url != NULL)
        config->aws_s3_endpoint_url =
            without_last_slashes(config->arena, config->aws_s3_endpoint_url);
}

/* By the class, the last of its names. */
static bool is_s3(const char *storage)
{
    const char *point = strrchr(storage, '.');

    return strncasecmp(point == NULL ? storage : point + 1, "S3", 2) == 0;
}

static bool is_folder(const char *storage)
{
    const char *point = strrchr(storage, '.');

    return strcmp(point == NULL ? storage : point + 1, "FileSystemStorage") ==
           0;
}

/*
 * "media/" is meant as "/media/". A whole address says PUBLIC_URL too, unless
 * that is set.
 */
static void settle_media_url(struct config *config)
{
    struct arena *arena = config->arena;
    const char *path = config->media_url;

    if (check_web_address(text_of(path))) {
        const char *host = strstr(path, "//") + 2;
        size_t origin = (size_t)(host - path) + strcspn(host, "/");

        if (config->public_url == NULL)
            config->public_url =
                arena_string(arena, (struct text){path, origin});
        path = path[origin] == '\0' ? "/media/" : path + origin;
    }
    config->media_url =
        arena_printf(arena, "%s%s%s", path[0] == '/' ? "" : "/", path,
                     path[strlen(path) - 1] == '/' ? "" : "/");
}

static const char *without_last_slashes(struct arena *arena, const char *url)
{
    size_t size = strlen(url);

    while (url[size - 1] == '/')
        size--;
    return arena_string(arena, (struct text){url, size});
}
