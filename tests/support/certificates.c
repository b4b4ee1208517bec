/*
 * Certificates for a TLS server of a test.
 */
#include "tests/support/certificates.h"

#include "server/base/memory.h"
#include "tests/support/mariadb_server.h"

#include <stdio.h>
#include <stdlib.h>

static void name(const struct certificates *certificates, char *ret_path,
                 const char *file);

void certificates_make(struct certificates *ret_certificates)
{
    struct certificates *made = ret_certificates;

    snprintf(made->folder, sizeof made->folder, "%s",
             "/tmp/xqueue-test-certificates-XXXXXX");
    if (mkdtemp(made->folder) == NULL)
        fatal("no folder for certificates");
    name(made, made->ca, "ca.pem");
    name(made, made->other_ca, "other-ca.pem");
    name(made, made->server, "server.pem");
    name(made, made->server_key, "server-key.pem");
    name(made, made->client, "client.pem");
    name(made, made->client_key, "client-key.pem");
    mariadb_server_command((const char *const[]){SOURCE_DIR
                                                 "/tests/tools/certificates.sh",
                                                 made->folder, NULL},
                           NULL);
}

void certificates_remove(const struct certificates *certificates)
{
    mariadb_server_command(
        (const char *const[]){"rm", "-rf", certificates->folder, NULL}, NULL);
}

static void name(const struct certificates *certificates, char *ret_path,
                 const char *file)
{
    snprintf(ret_path, CERTIFICATE_PATH, "%s/%s", certificates->folder, file);
}
