-- The hot set: what is waiting, leased or to be delivered, in narrow tables
-- of our own. History stays in queue_submission and costs a pull nothing.
-- All times are microseconds since 1970-01-01 UTC by the database's clock.

-- Short numbers for queue names.
CREATE TABLE IF NOT EXISTS xqueue_queue (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    name VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY name (name)
) ENGINE=InnoDB;

-- Where each unretired submission stands. state: 0 waiting, 1 leased,
-- 2 answered (a result waits to be delivered), 3 superseded while leased,
-- 4 dead (too many attempts; the failure message waits to be delivered).
-- problem: first 16 bytes of SHA-256 of the full callback URL; NULL once
-- superseded. destination: see xqueue_outbox. pullkey is the newest lease's
-- and outlives the lease.
CREATE TABLE IF NOT EXISTS xqueue_live (
    id INT NOT NULL,
    queue_id INT UNSIGNED NOT NULL,
    arrival_us BIGINT NOT NULL,
    state TINYINT NOT NULL,
    attempts SMALLINT NOT NULL,
    problem BINARY(16) NULL,
    destination BIGINT NOT NULL,
    pullkey VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    pulled_us BIGINT NULL,
    expires_us BIGINT NULL,
    grader_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY problem (problem),
    KEY expires (expires_us)
) ENGINE=InnoDB;

-- The waiting ones in the order they are handed out: one range per queue.
CREATE TABLE IF NOT EXISTS xqueue_ready (
    queue_id INT UNSIGNED NOT NULL,
    arrival_us BIGINT NOT NULL,
    id INT NOT NULL,
    PRIMARY KEY (queue_id, arrival_us, id)
) ENGINE=InnoDB;

-- How many wait in each queue: the sum over the slots. A database thread
-- uses its own slot, so that threads do not wait for each other.
CREATE TABLE IF NOT EXISTS xqueue_depth (
    queue_id INT UNSIGNED NOT NULL,
    slot SMALLINT UNSIGNED NOT NULL,
    waiting BIGINT NOT NULL,
    PRIMARY KEY (queue_id, slot)
) ENGINE=InnoDB;

-- Callbacks to be delivered. destination: first 8 bytes of SHA-256 of the
-- origin (scheme, host, port) as a signed number. due_us is NULL while an
-- earlier callback of the same submission is still to be delivered, and the
-- end of the delivery's lease while somebody delivers it (owner is then his
-- token). reply is NULL when it is the submission's grader_reply. kind:
-- 0 result, 1 failure message, 2 failure message of a forced retirement.
CREATE TABLE IF NOT EXISTS xqueue_outbox (
    seq BIGINT NOT NULL AUTO_INCREMENT,
    id INT NOT NULL,
    destination BIGINT NOT NULL,
    due_us BIGINT NULL,
    attempts INT NOT NULL,
    kind TINYINT NOT NULL,
    created_us BIGINT NOT NULL,
    owner BINARY(16) NULL,
    reply LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (seq),
    KEY due (destination, due_us, seq),
    KEY submission (id, seq)
) ENGINE=InnoDB;

-- Login sessions: only a digest of the cookie is kept. password is a digest
-- of the auth_user.password it was opened with.
CREATE TABLE IF NOT EXISTS xqueue_session (
    id BINARY(32) NOT NULL,
    user_id INT NOT NULL,
    password BINARY(16) NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY expires (expires_us)
) ENGINE=InnoDB;

-- Counts events after which every process must forget what it remembers:
-- 'session' at logouts and password changes.
CREATE TABLE IF NOT EXISTS xqueue_epoch (
    name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB;

INSERT IGNORE INTO xqueue_epoch (name, number) VALUES ('session', 1);

-- One row per committed write transaction of the last hour, so that a COMMIT
-- whose reply was lost can be settled. token: 8 bytes of time, 8 random.
CREATE TABLE IF NOT EXISTS xqueue_commit (
    token BINARY(16) NOT NULL,
    PRIMARY KEY (token)
) ENGINE=InnoDB;
