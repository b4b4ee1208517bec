/*
 * Certificates for a TLS server of a test: see tests/tools/certificates.sh.
 * In a folder of their own.
 */
#ifndef XQUEUE_TESTS_SUPPORT_CERTIFICATES_H
#define XQUEUE_TESTS_SUPPORT_CERTIFICATES_H

enum { CERTIFICATE_PATH = 64 };

/* Names of files. */
struct certificates {
    char folder[CERTIFICATE_PATH - 20];
    char ca[CERTIFICATE_PATH];
    char other_ca[CERTIFICATE_PATH];
    char server[CERTIFICATE_PATH];
    char server_key[CERTIFICATE_PATH];
    char client[CERTIFICATE_PATH];
    char client_key[CERTIFICATE_PATH];
};

/* Fatal when they cannot be made. */
void certificates_make(struct certificates *ret_certificates);
void certificates_remove(const struct certificates *certificates);

#endif
