/*
 * The storage of uploaded files, as the configuration says.
 */
#include "server/cli/file_storage.h"

#include "server/base/log.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void make_folders(const char *path);
static void warn_of_links(const struct config *config);
static bool has_push_queue(const struct config *config);
static bool is_local(const char *listen);

struct storage_settings file_storage_settings(const struct config *config,
                                              struct text secret)
{
    return (struct storage_settings){
        .media_root = config->stores_in_s3 ? NULL : config->media_root,
        .media_url = config->media_url,
        .public_url = config->public_url,
        .unsigned_links = config->media_unsigned,
        .secret =
            config->secret_key == NULL ? secret : text_of(config->secret_key),
        .link_lifetime_s = config->upload_url_expire_s,
        .bucket = config->upload_bucket,
        .prefix = config->upload_path_prefix,
        .endpoint = config->aws_s3_endpoint_url,
        .region = config->aws_s3_region_name,
        .addressing = config->aws_s3_addressing_style,
        .access_key = config->aws_access_key_id,
        .secret_key = config->aws_secret_access_key,
        .session_token = config->aws_session_token,
        .verify_tls = config->verify_tls,
        /* Amazon's own servers have certificates that all systems know. */
        .ca_file =
            config->aws_s3_endpoint_url == NULL ? NULL : config->tls_ca_file,
    };
}

void file_storage_start(struct env *env, struct text secret)
{
    const struct storage_settings settings =
        file_storage_settings(env->config, secret);
    char *error = NULL;

    if (settings.media_root != NULL)
        make_folders(settings.media_root);
    env->storage = storage_start(env, &settings, &error);
    if (env->storage == NULL)
        log_event(LOG_WARNING, "start", log_string("step", "files"),
                  log_string("reason", error),
                  log_string("then", "submissions with files are refused"));
    free(error);
    warn_of_links(env->config);
}

/* As far as we may; the storage then tells what is wrong. */
static void make_folders(const char *path)
{
    char *part = xstrdup(path);

    for (char *slash = strchr(part + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755);
        *slash = '/';
    }
    if (mkdir(part, 0700) == 0)
        log_event(LOG_INFO, "start", log_string("made", path));
    free(part);
}

/* A grader on another machine cannot follow a link to 127.0.0.1. */
static void warn_of_links(const struct config *config)
{
    if (!config->stores_in_s3 && config->public_url == NULL &&
        has_push_queue(config) && is_local(config->listen))
        log_event(LOG_WARNING, "start",
                  log_string("text", "graders that are pushed to get links to"
                                     " files on this machine: see"
                                     " PUBLIC_URL"));
}

static bool has_push_queue(const struct config *config)
{
    for (size_t i = 0; i < config->queue_count; i++) {
        if (config->queues[i].grader_url != NULL)
            return true;
    }
    return false;
}

/* Or all addresses, which is none to call. */
static bool is_local(const char *listen)
{
    static const char *const names[] = {
        "127.", "localhost:", "[::1]:", "0.0.0.0:", "[::]:"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (strncmp(listen, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}
