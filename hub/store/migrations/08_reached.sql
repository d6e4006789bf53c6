-- The address at which each phone last reached the hub.

CREATE TABLE reached (device INTEGER PRIMARY KEY, host TEXT NOT NULL);
