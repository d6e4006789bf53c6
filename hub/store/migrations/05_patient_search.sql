-- What patients are listed, counted and found by, and the triggers that keep it.
--
-- The words come folded and separated by spaces, so the plain tokenizer does: it takes every character beyond ASCII as
-- part of a word. A word's first letter is its kind, so one to three typed letters have an index of their own. Numbers
-- are found by any three characters in a row.
-- The indexes repeat the column of their own condition, or SQLite would read the record to test it again.

CREATE INDEX patients_listed ON patients (primary_clinic_id, made_ms, num, local_server_deleted_at)
    WHERE local_server_deleted_at IS NULL;
CREATE INDEX patients_newest ON patients (made_ms, num, local_server_deleted_at) WHERE local_server_deleted_at IS NULL;
CREATE TABLE patient_counts (clinic TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE patient_words USING fts5(words, name UNINDEXED, tokenize = 'ascii', prefix = '2 3 4',
    detail = none, columnsize = 0);
CREATE VIRTUAL TABLE patient_numbers USING fts5(numbers, tokenize = 'trigram', columnsize = 0);

CREATE TRIGGER patients_arrive AFTER INSERT ON patients
BEGIN
  INSERT INTO patient_words (rowid, words, name)
      SELECT NEW.num, search_words(NEW.data, NEW.cut), search_name(NEW.data, NEW.cut)
      WHERE NEW.local_server_deleted_at IS NULL;
  INSERT INTO patient_numbers (rowid, numbers) SELECT NEW.num, search_numbers(NEW.data, NEW.cut)
      WHERE NEW.local_server_deleted_at IS NULL;
  INSERT INTO patient_counts (clinic, live) SELECT coalesce(NEW.primary_clinic_id, ''), 1
      WHERE NEW.local_server_deleted_at IS NULL ON CONFLICT (clinic) DO UPDATE SET live = live + 1;
END;

CREATE TRIGGER patients_leave AFTER DELETE ON patients
BEGIN
  DELETE FROM patient_words WHERE rowid = OLD.num AND OLD.local_server_deleted_at IS NULL;
  DELETE FROM patient_numbers WHERE rowid = OLD.num AND OLD.local_server_deleted_at IS NULL;
  UPDATE patient_counts SET live = live - 1
      WHERE clinic = coalesce(OLD.primary_clinic_id, '') AND OLD.local_server_deleted_at IS NULL;
END;

CREATE TRIGGER patients_change AFTER UPDATE OF data, local_server_deleted_at, primary_clinic_id ON patients
  WHEN OLD.local_server_deleted_at IS NOT NEW.local_server_deleted_at
  OR search_words(OLD.data, OLD.cut) <> search_words(NEW.data, NEW.cut)
  OR search_numbers(OLD.data, OLD.cut) <> search_numbers(NEW.data, NEW.cut)
BEGIN
  DELETE FROM patient_words WHERE rowid = OLD.num AND OLD.local_server_deleted_at IS NULL;
  DELETE FROM patient_numbers WHERE rowid = OLD.num AND OLD.local_server_deleted_at IS NULL;
  UPDATE patient_counts SET live = live - 1
      WHERE clinic = coalesce(OLD.primary_clinic_id, '') AND OLD.local_server_deleted_at IS NULL;
  INSERT INTO patient_words (rowid, words, name)
      SELECT NEW.num, search_words(NEW.data, NEW.cut), search_name(NEW.data, NEW.cut)
      WHERE NEW.local_server_deleted_at IS NULL;
  INSERT INTO patient_numbers (rowid, numbers) SELECT NEW.num, search_numbers(NEW.data, NEW.cut)
      WHERE NEW.local_server_deleted_at IS NULL;
  INSERT INTO patient_counts (clinic, live) SELECT coalesce(NEW.primary_clinic_id, ''), 1
      WHERE NEW.local_server_deleted_at IS NULL ON CONFLICT (clinic) DO UPDATE SET live = live + 1;
END;

INSERT INTO patient_words (rowid, words, name)
    SELECT patients.num, search_words(patients.data, patients.cut), search_name(patients.data, patients.cut)
    FROM patients WHERE local_server_deleted_at IS NULL;
INSERT INTO patient_numbers (rowid, numbers) SELECT patients.num, search_numbers(patients.data, patients.cut)
    FROM patients WHERE local_server_deleted_at IS NULL;
INSERT INTO patient_counts (clinic, live) SELECT coalesce(patients.primary_clinic_id, ''), 1 FROM patients
    WHERE local_server_deleted_at IS NULL ON CONFLICT (clinic) DO UPDATE SET live = live + 1;
