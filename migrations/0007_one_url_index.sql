-- queue_submission had two indexes that begin with lms_callback_url, and each
-- submission reads and writes a page of either, somewhere in the middle of
-- all history: with more history than memory that is most of what storing a
-- submission costs. The one of (lms_callback_url, retired) is enough, for
-- Django as well, which does not ask for the other one by its name.
-- Prepared, since only MariaDB knows DROP INDEX IF EXISTS.
SET @xqueue_statement = IF(
    EXISTS(SELECT 1 FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'queue_submission'
        AND INDEX_NAME = 'queue_submission_lms_callback_url_f8da8c20')
    AND EXISTS(SELECT 1 FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'queue_submission'
        AND SEQ_IN_INDEX = 1 AND COLUMN_NAME = 'lms_callback_url'
        AND INDEX_NAME <> 'queue_submission_lms_callback_url_f8da8c20'),
    'ALTER TABLE queue_submission DROP INDEX queue_submission_lms_callback_url_f8da8c20, ALGORITHM=INPLACE, LOCK=NONE',
    'DO 0');

PREPARE xqueue_drop FROM @xqueue_statement;

EXECUTE xqueue_drop;

DEALLOCATE PREPARE xqueue_drop;
