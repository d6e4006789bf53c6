"""hikma-hub label: the label to print and stick on the hub."""

import html
from pathlib import Path

import click
import msgspec
import segno

from hub.actions.box import identity
from hub.app import reach
from hub.cli import options, speech
from hub.core.errors import OperatorError
from hub.core.phone import qr
from hub.core.status import label as legend
from hub.firstboot.steps import REPORT, FirstBootReport
from hub.words import Words

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>{name}</title><style>
@page {{ size: A5 landscape; margin: 8mm }}
body {{ font: 10pt/1.35 sans-serif; margin: 0; color: #000 }}
h1 {{ font-size: 20pt; margin: 0 0 2mm }}
main {{ display: grid; grid-template-columns: 62mm 1fr; gap: 6mm }}
.qr svg {{ width: 60mm; height: 60mm }} .lights svg {{ width: 100% }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: 0 3mm; margin: 2mm 0 }} dd {{ margin: 0; font-weight: 600 }}
</style></head><body><h1>{name}</h1><main><section><div class="qr">{code}</div><dl>{rows}</dl></section>
<section class="lights">{lights}</section></main></body></html>
"""


@click.command()
@options.data
@options.config
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="HTML file to write. Print it from a browser on A5 paper.",
)
def label(data: Path, config: Path | None, output: Path) -> None:
    """Write the label to print and stick on the hub.

    It shows the hub's name, QR code, addresses, setup code and Wi-Fi password, and what the lights mean.
    """
    settings = options.settings(config, data)
    with options.store(data) as store:
        ways = reach.current(store, settings)
        who = identity.load(store)
        payload = qr.payload(host=ways.host(), port=ways.server.port, hub_id=who.id, public=who.keys.public)
        name = identity.name(store) or settings.hub.name
    code = segno.make(msgspec.json.encode(payload).decode(), error="m")
    words = speech.of(settings)
    rows = {words.say("Page"): f"http://{ways.host_name()}", words.say("Hub"): who.id[:8], **_rows(words, first_boot())}
    page = _PAGE.format(
        language=words.code,
        direction=words.direction,
        name=html.escape(name),
        code=code.svg_inline(border=2),
        rows="".join(
            f'<dt>{html.escape(key)}</dt><dd dir="ltr">{html.escape(value)}</dd>' for key, value in rows.items()
        ),
        lights=legend.as_svg(words.say, is_rtl=words.direction == "rtl"),
    )
    try:
        output.touch(mode=0o600)
        output.write_text(page, "utf-8")
    except OSError as error:
        raise OperatorError(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Label written to {output}.")


def first_boot(path: Path = Path(REPORT)) -> FirstBootReport:
    """Return the report of first boot; an empty one on a machine that was not made from our image."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=FirstBootReport)
    except (OSError, msgspec.DecodeError):
        return FirstBootReport()


def _rows(words: Words, report: FirstBootReport) -> dict[str, str]:
    found = {
        words.say("Setup code"): report.setup_code,
        words.say("Wi-Fi"): report.access_point,
        words.say("Wi-Fi password"): report.access_point_password,
        words.say("Certificate"): report.certificate[:23] + " ..." if report.certificate else None,
    }
    return {name: value for name, value in found.items() if value}
