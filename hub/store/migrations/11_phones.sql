-- Where a phone was when it paired, and which phones were refused of late; device 0 stands for phones that the hub does
-- not know.

ALTER TABLE devices ADD COLUMN address TEXT;
CREATE TABLE refusals (device INTEGER PRIMARY KEY, why TEXT NOT NULL, times INTEGER NOT NULL, since INTEGER NOT NULL,
    last INTEGER NOT NULL);
