DROP TABLE primary_beat;
