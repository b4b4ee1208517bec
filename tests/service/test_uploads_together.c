/*
 * Files that together are many times the memory for bodies: clients wait for
 * each other, and every byte arrives.
 */
#include "tests/support/service_story.h"
#include "tests/support/upload_wave.h"

#include <stdlib.h>

static const struct service_settings settings = {
    .queues = "{up0: null, up1: null, up2: null, up3: null, up4: null,"
              " up5: null, up6: null, up7: null}",
    .more = "BODY_MEMORY: 5 MB\nREQUEST_MAX_BYTES: 5 MB\n",
};

static void upload(size_t bytes, size_t number)
{
    char *filler = upload_wave_filler(bytes);
    const struct upload_wave wave = {
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .clients = 8,
        .bytes = bytes,
        .filler = filler,
        .number = number,
    };

    ck_assert_uint_eq(upload_wave_run(&wave), 8);
    ck_assert_uint_eq(upload_wave_verify(&wave), 8);
    free(filler);
}

START_TEST(eight_uploads_of_four_megabytes_share_five)
{
    log_in(client);
    upload(4000000, 0);
}
END_TEST

START_TEST(uploads_that_just_fill_what_libevent_reads_arrive_whole)
{
    log_in(client);
    upload(3500, 1);
    upload(4096, 2);
    upload(32768, 3);
    upload(65536, 4);
    upload(1048576, 5);
}
END_TEST

SERVICE_STORY("uploads together", &settings,
              TELL(eight_uploads_of_four_megabytes_share_five),
              TELL(uploads_that_just_fill_what_libevent_reads_arrive_whole))
