-- Django's index of callback addresses (lms_callback_url, retired) grows in the
-- middle: each submission reads and writes some page of all history, and with
-- more history than memory that is most of what storing one costs. An index
-- that begins with the day grows at its end. Whoever looks for an address asks
-- for each day, db/arrival_day.h; that is done for what is rare.
--
-- Rows of Django's, and older ones of ours, have no day, which counts as a day
-- of its own. `xqueue migrate --hand-back` gives Django its index back and
-- takes this migration for not applied.
-- Prepared, since only MariaDB knows IF EXISTS here.
SET @xqueue_statement = IF(
    EXISTS(SELECT 1 FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'queue_submission'
        AND COLUMN_NAME = 'xqueue_arrival_day'),
    'DO 0',
    'ALTER TABLE queue_submission ADD COLUMN xqueue_arrival_day DATE DEFAULT NULL');

PREPARE xqueue_add FROM @xqueue_statement;

EXECUTE xqueue_add;

DEALLOCATE PREPARE xqueue_add;

SET @xqueue_statement = IF(
    EXISTS(SELECT 1 FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'queue_submission'
        AND INDEX_NAME = 'xqueue_arrival_day_idx'),
    'DO 0',
    'ALTER TABLE queue_submission ADD INDEX xqueue_arrival_day_idx (xqueue_arrival_day, lms_callback_url), ALGORITHM=INPLACE, LOCK=NONE');

PREPARE xqueue_add FROM @xqueue_statement;

EXECUTE xqueue_add;

DEALLOCATE PREPARE xqueue_add;

SET @xqueue_statement = IF(
    EXISTS(SELECT 1 FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'queue_submission'
        AND INDEX_NAME = 'queue_submi_lms_cal_367510_idx'),
    'ALTER TABLE queue_submission DROP INDEX queue_submi_lms_cal_367510_idx, ALGORITHM=INPLACE, LOCK=NONE',
    'DO 0');

PREPARE xqueue_drop FROM @xqueue_statement;

EXECUTE xqueue_drop;

DEALLOCATE PREPARE xqueue_drop;
