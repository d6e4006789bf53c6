"""The page for people."""

import httpx

from tests.hubs import ServedHub


def page(served: ServedHub) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(served.url)


def test_the_page_says_in_one_sentence_whether_everything_is_safe(served: ServedHub) -> None:
    assert "No phone on its list has synced yet" in page(served).text


def test_the_name_of_the_hub_is_text_and_not_markup(served: ServedHub) -> None:
    text = page(served).text
    assert "&lt;b&gt;Clinic&lt;/b&gt;" in text
    assert "<b>" not in text


def test_the_page_may_run_nothing_and_load_nothing(served: ServedHub) -> None:
    assert "default-src 'none'" in page(served).headers["content-security-policy"]
