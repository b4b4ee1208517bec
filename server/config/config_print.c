/*
 * The table of settings for people, and a config as it stands.
 */
#include "server/config/config.h"

#include "server/config/queue_keys.h"
#include "server/config/settings.h"

#include <stddef.h>
#include <string.h>

enum { LINE_WIDTH = 76 };

#define MASK "****"

static void print_wrapped(const char *text, FILE *out);
static void print_value(const struct setting *setting, const void *base,
                        FILE *out);
static void print_bytes(int64_t bytes, FILE *out);
static void print_choice(const struct setting *setting, int value, FILE *out);
static void print_list(const struct config_list *list, FILE *out);
static void print_text(const char *text, FILE *out);
static void print_queues(const struct config *config, FILE *out);
static void print_queue(const struct config_queue *queue, FILE *out);
static void print_users(const struct config *config, FILE *out);
static void print_tls(const struct config_database *database, FILE *out);

void config_print_help(FILE *out)
{

    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);
        struct buffer kind = {NULL, 0, 0};

        buffer_append_string(&kind, "Takes ");
        setting_describe(setting, &kind);
        fprintf(out, "  %s", setting->name);
        if (setting->fallback != NULL)
            fprintf(out, " (default %s)", setting->fallback);
        fputs("\n", out);
        print_wrapped(setting->help, out);
        buffer_append_char(&kind, '.');
        print_wrapped(kind.data, out);
        buffer_free(&kind);
    }
}

void config_print_markdown(FILE *out)
{

    fputs("| Setting | Value | Default | On SIGHUP | Meaning |\n"
          "|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);
        const char *fallback = setting->fallback;
        struct buffer kind = {NULL, 0, 0};

        setting_describe(setting, &kind);
        fprintf(out, "| `%s` | %s | %s%s%s | %s | %s |\n", setting->name,
                kind.data, fallback == NULL ? "" : "`",
                fallback == NULL ? "none" : fallback,
                fallback == NULL ? "" : "`", setting->reloads ? "yes" : "no",
                setting->help);
        buffer_free(&kind);
    }
}

void config_print(const struct config *config, FILE *out)
{

    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);

        if (setting->type == SETTING_DATABASES)
            continue; /* its parts are in the table too */
        fprintf(out, "%s:", setting->name);
        if (setting->type == SETTING_QUEUES)
            print_queues(config, out);
        else if (setting->type == SETTING_USERS)
            print_users(config, out);
        else
            print_value(setting, config, out);
        fputs("\n", out);
    }
    print_tls(&config->database, out);
}

/* Indented lines of whole words. */
static void print_wrapped(const char *text, FILE *out)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (column > 0 && column + 1 + word > LINE_WIDTH) {
            fputs("\n", out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column == 0 ? "      " : " ",
                                  (int)word, text);
        text += word + strspn(text + word, " ");
    }
    fputs("\n", out);
}

/* A single one. `base` is what its offset is in. */
static void print_value(const struct setting *setting, const void *base,
                        FILE *out)
{
    const void *value = setting_value(setting, base);
    int choice;

    switch (setting->type) {
    case SETTING_BOOLEAN:
        fputs(*(const bool *)value ? " true" : " false", out);
        break;
    case SETTING_INTEGER:
        fprintf(out, " %lld", (long long)*(const int64_t *)value);
        break;
    case SETTING_NUMBER:
        fprintf(out, " %.15g", *(const double *)value);
        break;
    case SETTING_SIZE:
        print_bytes(*(const int64_t *)value, out);
        break;
    case SETTING_TEXT:
    case SETTING_CHOICE_TEXT:
        if (setting->secret && *(const char *const *)value != NULL)
            fputs(" " MASK, out);
        else
            print_text(*(const char *const *)value, out);
        break;
    case SETTING_CHOICE:
        memcpy(&choice, value, sizeof choice);
        print_choice(setting, choice, out);
        break;
    case SETTING_LIST:
        print_list(value, out);
        break;
    case SETTING_BASIC_AUTH:
        print_text(*(const char *const *)value, out);
        fputs(*(const char *const *)value == NULL ? "" : " " MASK, out);
        break;
    case SETTING_QUEUES:
    case SETTING_USERS:
    case SETTING_DATABASES:
        break;
    }
}

static void print_bytes(int64_t bytes, FILE *out)
{
    struct buffer words = {NULL, 0, 0};

    setting_describe_size((double)bytes, &words);
    fprintf(out, " %s", words.data);
    buffer_free(&words);
}

/* Of several names for one value the first is shown. */
static void print_choice(const struct setting *setting, int value, FILE *out)
{
    for (size_t i = 0; setting->choices[i].name != NULL; i++) {
        if (setting->choices[i].value == value) {
            print_text(setting->choices[i].name, out);
            return;
        }
    }
}

static void print_list(const struct config_list *list, FILE *out)
{
    if (list->count == 0)
        fputs(" none", out);
    for (size_t i = 0; i < list->count; i++)
        fprintf(out, "%s %s", i == 0 ? "" : ",", list->items[i]);
}

static void print_text(const char *text, FILE *out)
{
    fprintf(out, " %s", text == NULL ? "none" : text);
}

static void print_queues(const struct config *config, FILE *out)
{
    if (config->queue_count == 0)
        fputs(" none", out);
    for (size_t i = 0; i < config->queue_count; i++) {
        fprintf(out, "\n  %s:", config->queues[i].name);
        print_queue(&config->queues[i], out);
    }
}

static void print_queue(const struct config_queue *queue, FILE *out)
{
    size_t count;
    const struct queue_key *keys = queue_keys(&count);

    print_text(queue->grader_url == NULL ? "pulled" : queue->grader_url, out);
    for (size_t i = 0; i < count; i++) {
        struct setting setting = queue_key_setting(&keys[i]);

        if (keys[i].only_pushed && queue->grader_url == NULL)
            continue;
        if (setting.offset == offsetof(struct config_queue, keep_alive) &&
            !queue->keep_alive)
            continue;
        fprintf(out, ", %s", setting.name);
        print_value(&setting, queue, out);
    }
}

static void print_users(const struct config *config, FILE *out)
{
    if (config->user_count == 0)
        fputs(" none", out);
    for (size_t i = 0; i < config->user_count; i++)
        fprintf(out, "\n  %s: " MASK, config->users[i].name);
}

static void print_tls(const struct config_database *database, FILE *out)
{
    static const char *const modes[] = {
        [CONFIG_TLS_OFF] = "DISABLED",
        [CONFIG_TLS_REQUIRED] = "REQUIRED",
        [CONFIG_TLS_VERIFY_CA] = "VERIFY_CA",
        [CONFIG_TLS_VERIFY] = "VERIFY_IDENTITY",
    };

    fprintf(out, "DATABASES.default.OPTIONS.ssl_mode: %s\n",
            modes[database->tls]);
    if (database->tls_ca != NULL)
        fprintf(out, "DATABASES.default.OPTIONS.ssl.ca: %s\n",
                database->tls_ca);
    if (database->tls_cert != NULL)
        fprintf(out, "DATABASES.default.OPTIONS.ssl.cert: %s\n",
                database->tls_cert);
    if (database->tls_key != NULL)
        fprintf(out, "DATABASES.default.OPTIONS.ssl.key: %s\n",
                database->tls_key);
}
