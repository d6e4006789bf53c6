"""The line to change is named, however the file is written."""

from hub.settings import toml_file


def test_the_line_is_found_among_values_of_several_lines() -> None:
    text = 'a = """\nb = 1\n"""\n[t]\nx = [\n  1,\n  2,\n]\nb = 2\n[[w]]\nn = 1\n[[w]]\nn = 2\n'
    assert toml_file.line(text, ["a"]) == 3
    assert toml_file.line(text, ["t"]) == 4
    assert toml_file.line(text, ["t", "x"]) == 8
    assert toml_file.line(text, ["t", "b"]) == 9
    assert toml_file.line(text, ["w", "1", "n"]) == 13
    assert toml_file.line(text, ["nowhere"]) == 1
