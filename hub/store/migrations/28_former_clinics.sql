-- Whose a patient was before they moved to another clinic: who entered something then is judged by that.
--
-- until: the hub time of the move.

CREATE TABLE former_clinics (
    patient_id TEXT NOT NULL, until INTEGER NOT NULL, clinic TEXT NOT NULL, PRIMARY KEY (patient_id, until)
) WITHOUT ROWID;
