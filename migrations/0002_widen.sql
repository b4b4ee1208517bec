-- Room for any Unicode, headers of up to 16 KiB and long file maps. The
-- columns keep their names and meaning; Django reads and writes them as
-- before. Names and URLs compare byte by byte. Text of older databases, in
-- utf8mb3 or latin1, is converted, not reinterpreted.
ALTER TABLE queue_submission
    ENGINE=InnoDB,
    MODIFY requester_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY lms_callback_url VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY queue_name VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY xqueue_header TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY xqueue_body LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY s3_keys VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY s3_urls VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY grader_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY pullkey VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    MODIFY grader_reply LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;
