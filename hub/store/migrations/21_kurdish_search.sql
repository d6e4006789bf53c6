-- Letters of Kurdish are found as those that keyboards without them have in their place: such names get their words anew.

UPDATE patient_words SET
    words = (SELECT search_words(patients.data, patients.cut) FROM patients WHERE num = patient_words.rowid),
    name = (SELECT search_name(patients.data, patients.cut) FROM patients WHERE num = patient_words.rowid)
    WHERE rowid IN (
        SELECT num FROM patients WHERE local_server_deleted_at IS NULL AND data GLOB '*[ڕێۆۇۊڵ]*'
    );
