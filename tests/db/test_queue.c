/*
 * db/queue.c
 */
#include "db/queue.h"

#include "tests/support/hot_story.h"

#include <pthread.h>

START_TEST(names_get_numbers_which_stay)
{
    struct text names[] = {text_of("a"), text_of("queue"), text_of("b")};
    int64_t numbers[3];
    int64_t again[3];
    struct queue_numbers self = {.job.op = &queue_numbers_op,
                                 .names = names,
                                 .count = 3,
                                 .ret_numbers = numbers};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_eq(numbers[1], QUEUE);
    ck_assert_int_ne(numbers[0], numbers[2]);
    self.ret_numbers = again;
    ck_assert_int_eq(db_run(other_db, &self.job), DB_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(again[i], numbers[i]);
    ck_assert_value("4", "SELECT COUNT(*) FROM xqueue_queue");
}
END_TEST

START_TEST(names_differ_by_case_accent_and_blanks)
{
    struct text names[] = {text_of("queue"), text_of("Queue"),
                           text_of("qu\xc3\xa9ue"), text_of("a"),
                           text_of("a b")};
    int64_t numbers[5];
    struct queue_numbers self = {.job.op = &queue_numbers_op,
                                 .names = names,
                                 .count = 5,
                                 .ret_numbers = numbers};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < i; k++)
            ck_assert_int_ne(numbers[i], numbers[k]);
    }
}
END_TEST

START_TEST(no_names_need_no_numbers)
{
    struct queue_numbers self = {.job.op = &queue_numbers_op};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_refused)
{
    struct text name = text_of(arena_printf(arena, "%0129d", 0));
    int64_t number;
    struct queue_numbers self = {.job.op = &queue_numbers_op,
                                 .names = &name,
                                 .count = 1,
                                 .ret_numbers = &number};

    ck_assert_int_eq(db_run(db, &self.job), DB_REFUSED);
}
END_TEST

static void *number_elsewhere(void *context)
{
    struct queue_numbers *self = context;

    db_thread_start();
    db_run(other_db, &self->job);
    db_thread_stop();
    return NULL;
}

START_TEST(two_processes_that_start_at_once_agree)
{
    struct text name = text_of("new");
    int64_t number = 0;
    struct queue_numbers theirs = {.job.op = &queue_numbers_op,
                                   .names = &name,
                                   .count = 1,
                                   .ret_numbers = &number};
    pthread_t thread;

    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "INSERT INTO xqueue_queue VALUES (77, 'new')"),
        DB_OK);
    pthread_create(&thread, NULL, number_elsewhere, &theirs);
    wait_for_waiting_locks(1);
    ck_assert_int_eq(db_execute_text(db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(theirs.job.status, DB_OK);
    ck_assert_int_eq(number, 77);
}
END_TEST

START_TEST(lengths_are_those_of_each_queue)
{
    struct queue_length list[4];
    struct db_job *jobs[4];

    submit("7:a");
    submit("7:b");
    pull();
    submit("7:c");
    for (int i = 0; i < 4; i++) {
        /* One of them twice, and one that has never had any. */
        static const int64_t ids[] = {QUEUE, OTHER_QUEUE, QUEUE, 99};

        list[i] = (struct queue_length){
            .job.op = &queue_length_op, .queue_id = ids[i], .waiting = -1};
        jobs[i] = &list[i].job;
    }
    ck_assert_int_eq(run_batch(db, jobs, 4), DB_OK);
    ck_assert_int_eq(list[0].waiting, 2);
    ck_assert_int_eq(list[1].waiting, 0);
    ck_assert_int_eq(list[2].waiting, 2);
    ck_assert_int_eq(list[3].waiting, 0);
}
END_TEST

START_TEST(a_length_is_the_sum_over_the_slots)
{
    struct queue_length self = {.job.op = &queue_length_op, .queue_id = QUEUE};
    struct submission_pull pulled = pull_of();

    submit("7:a");
    submit("7:b");
    submit("7:c");
    /* Another thread takes one away: its own slot goes below zero. */
    ck_assert_int_eq(db_run(other_db, &pulled.job), DB_OK);
    ck_assert_value("-1", "SELECT waiting FROM xqueue_depth WHERE slot = 2");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_eq(self.waiting, 2);
}
END_TEST

HOT_STORY("queues", TELL(names_get_numbers_which_stay),
          TELL(names_differ_by_case_accent_and_blanks),
          TELL(no_names_need_no_numbers),
          TELL(a_name_that_does_not_fit_is_refused),
          TELL(two_processes_that_start_at_once_agree),
          TELL(lengths_are_those_of_each_queue),
          TELL(a_length_is_the_sum_over_the_slots))
