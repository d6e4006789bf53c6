"""What the card has not: the packages of ``image/left-out.txt``, and what they alone ask for."""

import re

from tests.outside import PROJECT

LEFT_OUT = tuple(re.findall(r"^[a-z-]+", (PROJECT / "image/left-out.txt").read_text("utf-8"), re.MULTILINE))
_MODULES = [*(name.replace("-", "_") for name in LEFT_OUT), "PIL", "pkg_resources", "pygments", "greenlet"]
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({_MODULES})); "
"""Python that lets a program find what the card has, and no more."""
