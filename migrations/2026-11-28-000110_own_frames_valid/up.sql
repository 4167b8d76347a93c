ALTER TABLE events VALIDATE CONSTRAINT events_own_frame_check;
