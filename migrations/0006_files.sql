-- Uploaded files whose map does not fit into queue_submission: all of it, as
-- s3_keys would hold it, {field name: key}. The row of queue_submission then
-- holds a note in its place.
CREATE TABLE IF NOT EXISTS xqueue_files (
    id INT NOT NULL,
    map LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB;

-- What all processes must know and nobody else. 'links' is what links to files
-- are signed with where SECRET_KEY is not set; whoever needs it first makes it.
CREATE TABLE IF NOT EXISTS xqueue_secret (
    name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret BINARY(32) NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB;
