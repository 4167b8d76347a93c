ALTER TABLE log_heads DROP COLUMN topics_upto;
ALTER TABLE log_heads DROP COLUMN topic_seqs;
