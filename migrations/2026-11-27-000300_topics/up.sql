-- Where a log last told of each topic, at the number that the topic has in the program: what a room
-- shows is as it was while its topic's number stays, whatever else is told.
ALTER TABLE log_heads ADD COLUMN topic_seqs bigint[] NOT NULL DEFAULT '{}';
-- Up to which event that is known. Smaller than `last_seq` where a program that knows of no topics
-- has told something since: then every topic may have been told of.
ALTER TABLE log_heads ADD COLUMN topics_upto bigint NOT NULL DEFAULT 0;
