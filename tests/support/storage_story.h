/*
 * Tests of a local storage: each has a folder of its own, a loop, and a
 * storage, and asks for one thing at a time.
 */
#ifndef XQUEUE_TESTS_SUPPORT_STORAGE_STORY_H
#define XQUEUE_TESTS_SUPPORT_STORAGE_STORY_H

#include "server/storage/storage.h"
#include "tests/support/story.h"

/* For the length of a test. */
extern struct storage *storage;
extern struct env storage_env;
extern char storage_root[64]; /* MEDIA_ROOT */

/* For before_each and after_each. */
void storage_story_begin(void);
void storage_story_end(void);

/*
 * Ends the storage; starts another one in the same folder. For a process that
 * forks: it may have but one thread.
 */
void storage_story_stop(void);
void storage_story_restart(void);

/* The settings of all these storages. */
struct storage_settings storage_story_settings(void);

/* Why a storage does not start with these; free it. */
char *storage_story_error(const struct storage_settings *settings);

/* Run the loop until it is done. What comes out lives until the end. */
void do_put(struct storage_put *put);
void do_get(struct storage_get *get);
void do_delete(struct storage_delete *job);
void do_list(struct storage_list *list);
void do_open(struct storage_open *open);
void do_read(struct storage_read *read);

/* All at once. */
void do_puts(struct storage_put *puts, size_t count);

/* One file of the header "header"; how it went. */
enum storage_status put_one(const char *queue, const char *name,
                            struct text content, struct storage_file *ret_file);

/* "a.py" and "b.py" of the queue "q", of the header "header", as it went. */
struct storage_put put_two(const char *first, const char *second);

/* That file, there or not. */
struct storage_file file_at(const char *queue, const char *key);

/* So many bytes of text; free them. */
char *content_of_size(size_t size);

/* What is in the file; NULL when it cannot be had. */
const char *content_of(const struct storage_file *file);

/* Is there something with this path below the root? */
bool is_there(const char *path);

/* How many names there are in that folder, of any kind. */
size_t count_names(const char *path);

/* Makes a file below the root. */
void make_file(const char *path, const char *content);

/* The path below the root; good until the next call. */
const char *below_root(const char *path);

#endif
