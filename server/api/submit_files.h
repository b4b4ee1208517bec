/*
 * The files of a submit: into the storage before the submission is stored,
 * and out of it again when it is not.
 */
#ifndef XQUEUE_API_SUBMIT_FILES_H
#define XQUEUE_API_SUBMIT_FILES_H

#include "db/submit.h"
#include "server/http/form.h"
#include "server/storage/storage.h"
#include "server/task/task.h"

/* The first member of the state of the submit. */
struct submit_files {
    struct storage_put put;
    struct submission_known known;
    task_step *next; /* when they are stored, or gone */
    struct storage_delete deletion;
};

/* NULL, or why these files are refused. */
const char *submit_files_problem(struct task *task, const struct form *form);

/*
 * Store the form's files, then `next`; how it went is in files->put. The
 * form's texts stay where they are until then.
 */
enum step submit_files_store(struct task *task, struct submit_files *files,
                             const struct form *form,
                             const struct submission_insert *submission,
                             task_step *next) MUST_CHECK;

/* What the database keeps of stored files. */
struct file_texts submit_files_texts(struct task *task,
                                     const struct submit_files *files);

/* The submission is certainly not stored: delete its files, then `next`. */
enum step submit_files_take_back(struct task *task, struct submit_files *files,
                                 task_step *next) MUST_CHECK;

#endif
