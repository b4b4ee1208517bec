-- Which submissions are being pushed to a grader just now: a row for each
-- push under way, in whichever process. It is there from the claim until the
-- push has been recorded, or until its lease ends (expires_us, the same as in
-- xqueue_live), so that a queue's `concurrency` holds over all processes.
-- pullkey is that of the lease.
CREATE TABLE IF NOT EXISTS xqueue_push (
    queue_id INT UNSIGNED NOT NULL,
    id INT NOT NULL,
    pullkey VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (queue_id, id)
) ENGINE=InnoDB;
