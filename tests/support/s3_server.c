/*
 * An S3 server for a test program. Its folder is a throw-away, so it is ended
 * without ceremony.
 */
#include "tests/support/s3_server.h"

#include "server/base/memory.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY "S3 server at "

enum { START_MS = 30000 };

static struct program *server;
static char folder[64];
static char url[64];
static char url_by_name[64];

static void make_folder(void);

void s3_server_start(void)
{
    struct arena *arena = arena_new();
    size_t position = 0;
    struct text line;

    make_folder();
    server = program_start((const char *const[]){SOURCE_DIR
                                                 "/tests/tools/s3_server.py",
                                                 folder, NULL},
                           NULL);
    line = program_wait_for_line(server, arena, READY, &position, START_MS);
    snprintf(url, sizeof url, "%s", line.data + strlen(READY));
    snprintf(url_by_name, sizeof url_by_name, "http://localhost%s",
             strrchr(url, ':'));
    arena_free(arena);
}

void s3_server_stop(void)
{
    program_free(server);
    server = NULL;
    mariadb_server_command((const char *const[]){"rm", "-rf", folder, NULL},
                           NULL);
}

const char *s3_server_url(void)
{
    return url;
}

const char *s3_server_url_by_name(void)
{
    return url_by_name;
}

/*
 * In the listings, which are files of SQLite. A trigger keeps the server
 * itself from changing such rows.
 */
void s3_server_make_older(int seconds)
{
    static const char script[] =
        "import glob, sqlite3, sys\n"
        "for path in glob.glob(sys.argv[1] + '/device/containers/**/*.db',"
        " recursive=True):\n"
        "    with sqlite3.connect(path, 30) as listing:\n"
        "        listing.execute('DROP TRIGGER IF EXISTS object_update')\n"
        "        listing.execute(\"UPDATE object SET created_at ="
        " printf('%016.5f', created_at - ?)\", (int(sys.argv[2]),))\n";
    char number[16];

    snprintf(number, sizeof number, "%d", seconds);
    mariadb_server_command(
        (const char *const[]){"python3", "-c", script, folder, number, NULL},
        NULL);
}

/* In memory where that is possible: the listings are flushed at every PUT. */
static void make_folder(void)
{
    static const char *const places[] = {"/dev/shm", "/tmp"};

    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        snprintf(folder, sizeof folder, "%s/xqueue-test-s3-XXXXXX", places[i]);
        if (mkdtemp(folder) != NULL)
            return;
    }
    fatal("no folder for the S3 server: %s", strerror(errno));
}
