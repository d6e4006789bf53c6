"""hikma-hub label: the label to print and stick on the hub."""

import html
from pathlib import Path

import click
import msgspec
import segno

from hub.actions.box import certificate, identity
from hub.actions.people import setup
from hub.app import reach
from hub.cli import options, speech
from hub.core.errors import OperatorError
from hub.core.phone import qr
from hub.core.status import label as legend
from hub.core.status.lights import PATTERNS, Pattern
from hub.firstboot.report import FirstBootReport, first_boot
from hub.words import Words

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>{name}</title><style>
@page {{ size: A4; margin: 12mm }}
body {{ font: 9pt/1.25 sans-serif; margin: 0; color: #000; print-color-adjust: exact }}
h1 {{ font-size: 20pt; line-height: 1.15; margin: 0 0 3mm; overflow-wrap: anywhere }}
header {{ display: grid; grid-template-columns: 60mm 1fr; gap: 8mm; margin-bottom: 4mm }}
header svg {{ display: block; width: 60mm; height: 60mm }} header p {{ margin: 1mm 0 0; text-align: center }}
dl {{ margin: 0; font-size: 11pt }} dt {{ font-size: 9pt }} dd {{ margin: 0 0 1.6mm; font-weight: 700 }}
bdi {{ display: block; text-align: match-parent; overflow-wrap: anywhere }}
ul {{ list-style: none; margin: 0; padding: 0; columns: 2; column-gap: 8mm }}
li {{ display: grid; grid-template-columns: 26mm 1fr; gap: 3mm; padding: .8mm 0; break-inside: avoid }}
li {{ border-top: .2mm solid #bbb }} li svg {{ width: 26mm; direction: ltr }} li b {{ display: block }}
</style></head><body><h1>{name}</h1><header><div>{code}<p>{scan}</p></div><dl>{rows}</dl></header>
<ul>{lights}</ul></body></html>
"""
_FINGERPRINT_CHARS = 23
"""Of the certificate: eight bytes are as much as people compare."""
_ADDRESSES = 3
"""A hub has few; a developer's machine may have many."""


@click.command()
@options.data
@options.config
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="HTML file to write. Print it from a browser on A4 paper.",
)
def label(data: Path, config: Path | None, output: Path) -> None:
    """Write the label to print and stick on the hub.

    It shows the hub's name, QR code, addresses, setup code and Wi-Fi password, and what the lights mean: one page.
    """
    settings = options.settings(config, data)
    with options.store(data) as store:
        ways = reach.current(store, settings)
        who = identity.load(store)
        payload = qr.payload(host=ways.host(), port=ways.server.port, hub_id=who.id, public=who.keys.public)
        name, code = identity.name(store) or settings.hub.name, setup.code(store)
        pages = ways.pages()[:_ADDRESSES]
        certified = certificate.load(store, ways.host_name()).fingerprint
    words, report = speech.of(settings), first_boot()
    rows = {
        words.say("Page"): pages,
        words.say("Setup code"): [code or ""],
        words.say("Hub"): [who.id[:8]],
        **_rows(words, report, certified),
    }
    page = _PAGE.format(
        language=words.code,
        direction=words.direction,
        name=html.escape(name),
        code=segno.make(msgspec.json.encode(payload).decode(), error="m").svg_inline(border=2, omitsize=True),
        scan=html.escape(words.say("Phones scan this code at every sign-in.")),
        rows="".join(_row(name, values) for name, values in rows.items() if any(values)),
        lights="".join(_light(words, PATTERNS[light]) for light in legend.LABEL),
    )
    try:
        output.touch(mode=0o600)
        output.write_text(page, "utf-8")
    except OSError as error:
        raise OperatorError(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Label written to {output}.")


def _rows(words: Words, report: FirstBootReport, certified: str) -> dict[str, list[str]]:
    return {
        words.say("Wi-Fi"): [report.access_point or ""],
        words.say("Wi-Fi password"): [report.access_point_password or ""],
        words.say("Certificate"): [(report.certificate or certified)[:_FINGERPRINT_CHARS] + " ..."],
    }


def _row(name: str, values: list[str]) -> str:
    shown = "".join(f'<bdi dir="ltr">{html.escape(value)}</bdi>' for value in values if value)
    return f"<dt>{html.escape(name)}</dt><dd>{shown}</dd>"


def _light(words: Words, pattern: Pattern) -> str:
    meaning, rhythm = (html.escape(words.say(text)) for text in (pattern.meaning, pattern.rhythm))
    return f"<li>{legend.strip_svg(pattern)}<div><b>{meaning}</b>{rhythm}</div></li>"
