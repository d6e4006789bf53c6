"""The kernel on the image against the table of what the hub needs."""

import pytest

from tests.image.kernel_options import configured, options
from tests.outside import PROJECT


def test_the_images_kernel_has_the_options_that_the_table_says() -> None:
    found = sorted((PROJECT / "build/work/root/boot").glob("config-*"))
    if not found:
        pytest.skip("no tree of an image here: RELEASE=no make image-standin")
    if "+deb" not in found[-1].name:
        pytest.skip("the table's last column is Debian's kernel")
    for option in options():
        assert configured(found[-1], option.name) == option.debian, option.name
