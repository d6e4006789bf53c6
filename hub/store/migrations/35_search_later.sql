-- Patients who come many at once are indexed for the search after whoever brought them has the answer: until then their
-- numbers stand here, from before their rows are stored, and the trigger passes over them. Nobody else writes this table,
-- so a program that knows nothing of it indexes each patient at once.

CREATE TABLE patients_unsearched (num INTEGER PRIMARY KEY);
DROP TRIGGER patients_arrive;
CREATE TRIGGER patients_arrive AFTER INSERT ON patients
  WHEN NEW.local_server_deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM patients_unsearched WHERE num = NEW.num)
BEGIN
  INSERT INTO patient_words (rowid, words, name)
      VALUES (NEW.num, search_words(NEW.data, NEW.cut), search_name(NEW.data, NEW.cut));
  INSERT INTO patient_numbers (rowid, numbers) VALUES (NEW.num, search_numbers(NEW.data, NEW.cut));
END;
CREATE TRIGGER patients_counted AFTER INSERT ON patients WHEN NEW.local_server_deleted_at IS NULL
BEGIN
  INSERT INTO patient_counts (clinic, live) VALUES (coalesce(NEW.primary_clinic_id, ''), 1)
      ON CONFLICT (clinic) DO UPDATE SET live = live + 1;
END;
