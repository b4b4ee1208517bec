/*
 * An S3 server for a test program: a process of its own on loopback, see
 * tests/tools/s3_server.py, with one bucket that is empty at first. It checks
 * every signature. Whatever fails here fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_S3_SERVER_H
#define XQUEUE_TESTS_SUPPORT_S3_SERVER_H

#define S3_SERVER_ACCESS_KEY "xqueue:tests"
#define S3_SERVER_SECRET_KEY "tests+Secret/Key=1"
#define S3_SERVER_REGION     "eu-test-1"
#define S3_SERVER_BUCKET     "uploads"

/* For before_all and after_all. */
void s3_server_start(void);
void s3_server_stop(void);

/*
 * "http://127.0.0.1:PORT", the endpoint; and by the name of localhost, where
 * the bucket can stand in the host as well.
 */
const char *s3_server_url(void);
const char *s3_server_url_by_name(void);

/* All that was listed so far was stored so many seconds earlier. */
void s3_server_make_older(int seconds);

#endif
