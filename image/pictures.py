"""Takes what the browser tests have pictured over into the technician's guide: ``make pictures``."""

from pathlib import Path

from PIL import Image

_HERE = Path(__file__).parent
_MADE = _HERE.parent / "build/screenshots"
_PICTURES = {"guide-page": ("page", 300), "label-en": ("label", 460)}
"""Name there, name here, width in pixels."""


def main() -> None:
    """Scale them down; a few colours are enough."""
    for made, (name, width) in _PICTURES.items():
        with Image.open(_MADE / f"{made}.png") as found:
            height = round(found.height * width / found.width)
            small = found.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        small.quantize(32).save(_HERE / "pictures" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
