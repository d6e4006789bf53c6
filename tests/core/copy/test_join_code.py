import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.copy import join_code
from hub.core.copy.join_code import JoinCode
from hub.core.errors import OperatorError

HOSTS = st.sampled_from(["192.168.1.20", "hikma-hub.local", "fd00::7"])


@given(HOSTS, st.integers(1, 65_535), st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_a_code_says_what_went_into_it_also_in_small_letters(host: str, port: int, digest: bytes, token: bytes) -> None:
    code = JoinCode(host, port, digest, token)
    assert join_code.is_one(str(code))
    assert join_code.parse(f" {code}\n") == code
    assert join_code.parse(str(code).lower()) == code


@given(st.text(max_size=90) | st.text(max_size=90).map("hikma-spare:".__add__))
def test_whatever_else_is_given_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="not the code of a spare"):
        join_code.parse(text)


@pytest.mark.parametrize("port", ["0", "65536", "x", ""])
def test_a_code_without_a_port_is_refused(port: str) -> None:
    whole = str(JoinCode("host", 4444, bytes(32), bytes(16)))
    with pytest.raises(OperatorError):
        join_code.parse(whole.replace(":4444:", f":{port}:"))
