/*
 * Settings that mean nothing here.
 */
#include "server/config/foreign.h"

#include "server/base/compiler.h"

/* One that ends in _ stands for all that start so. */
static const char *const names[] = {
    "ADMINS",
    "ALLOWED_HOSTS",
    "APPEND_SLASH",
    "AUTHENTICATION_BACKENDS",
    "AUTH_PASSWORD_VALIDATORS",
    "AWS_",
    "AZURE_",
    "CACHES",
    "CELERY_",
    "CLOUDWATCH_",
    "CODE_OWNER_",
    "CSRF_",
    "DATADOG_",
    "DATA_UPLOAD_",
    "DATETIME_FORMAT",
    "DATE_FORMAT",
    "DEBUG",
    "DEFAULT_AUTO_FIELD",
    "DEFAULT_CHARSET",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_",
    "FILE_UPLOAD_",
    "FORCE_SCRIPT_NAME",
    "GS_",
    "INSTALLED_APPS",
    "INTERNAL_IPS",
    "LANGUAGE_CODE",
    "LOCALE_PATHS",
    "LOGGING",
    "LOGGING_ENV",
    "LOGIN_",
    "LOG_DIR",
    "MANAGERS",
    "MIDDLEWARE",
    "NEWRELIC_",
    "NEW_RELIC_",
    "OPENEDX_TELEMETRY",
    "PASSWORD_HASHERS",
    "ROOT_URLCONF",
    "SECURE_",
    "SENTRY_",
    "SERVER_EMAIL",
    "SESSION_",
    "SITE_ID",
    "STATICFILES_",
    "STATIC_",
    "SWIFT_",
    "SYSLOG_",
    "TEMPLATES",
    "TIME_ZONE",
    "USE_",
    "WSGI_APPLICATION",
};

bool foreign_is_known(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct text known = text_of(names[i]);
        bool is_family = known.data[known.size - 1] == '_';

        if (is_family ? text_starts_with(name, names[i])
                      : text_equal(name, known))
            return true;
    }
    return false;
}
