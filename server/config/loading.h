/*
 * One load of the configuration under way: the config that is filled, and
 * the messages about what fills it. Used within this folder only.
 */
#ifndef XQUEUE_CONFIG_LOADING_H
#define XQUEUE_CONFIG_LOADING_H

#include "server/config/config.h"
#include "server/config/setting.h"
#include "server/config/yaml_tree.h"

enum origin { FROM_TABLE, FROM_FILE, FROM_ENVIRONMENT, FROM_OPTION };

/* Where a value stands, for messages. */
struct place {
    enum origin origin;
    const char *name; /* "LISTEN", "DATABASES.default.PORT" */
    int line;         /* in a file; both from 1 */
    int column;
};

struct loading {
    struct config *config;
    const char *file;
    const char *queues_file;        /* where `queues` stands */
    struct arena *tree;             /* owns: the nodes of file and variables */
    const struct yaml_node *queues; /* in it: XQUEUES, NULL when not there */
    const struct yaml_node *storages; /* likewise: STORAGES */
    struct buffer errors;             /* owns; so the next */
    struct buffer warnings;
};

struct place place_in_file(const char *name, const struct yaml_node *node);

/* "PARENT.key", in the config's arena. */
const char *place_name(struct loading *loading, const char *parent,
                       struct text key);

/* "file:3:1: NAME: expected ..., found ...": `value` is what was found. */
void loading_expected(struct loading *loading, const struct place *place,
                      const char *expected, const struct yaml_node *value);

/* The same for a value that must not be shown: only its kind is. */
void loading_expected_secret(struct loading *loading, const struct place *place,
                             const char *expected,
                             const struct yaml_node *value);

/* "file:3:1: NAME: ..." as an error, and as a warning without the column. */
void loading_error(struct loading *loading, const struct place *place,
                   const char *what);
void loading_warning(struct loading *loading, const struct place *place,
                     const char *what);

/* The warnings about names of others' settings, and about slips. */
#define LOADING_NOT_USED  "not used by this server"
#define LOADING_NOT_KNOWN "not known, ignored"

/*
 * Give the setting this value, or report why not. Null leaves the value that
 * is there. Values from anywhere but a file are texts.
 */
void loading_apply(struct loading *loading, const struct setting *setting,
                   const struct yaml_node *value, const struct place *place);

/* The same where the setting's offset is one in `*base`. */
void loading_apply_at(struct loading *loading, const struct setting *setting,
                      const struct yaml_node *value, const struct place *place,
                      void *base);

/* The same with a text, from anywhere but a file. */
void loading_apply_text(struct loading *loading, const struct setting *setting,
                        struct text value, const struct place *place);

/* XQUEUES, USERS, DATABASES of the file; never called with null. */
void loading_queues(struct loading *loading, const struct yaml_node *value);
void loading_users(struct loading *loading, const struct yaml_node *value);
void loading_databases(struct loading *loading, const struct yaml_node *value);

/* Django's STORAGES, in place of what single settings of the file say. */
void loading_storages(struct loading *loading, const struct yaml_node *value);

/* What the settings about files come to, once all are known. */
void loading_settle_files(struct loading *loading);

/* What the environment says. */
void loading_environment(struct loading *loading);

/* A scalar that may stand for a text: a number counts as it is written. */
bool is_textual(const struct yaml_node *value);

/* A name of the operator's choice, in characters. */
bool is_name(const struct yaml_node *key, size_t limit);

#endif
