"""hikma-hub settings: listing the settings, and changing them in their file."""

import os
from pathlib import Path

import click

from hub import settings as book
from hub.app.live_settings import LiveSettings
from hub.cli import options
from hub.core.errors import OperatorError, SettingError, SettingsRefused


@click.group(invoke_without_command=True)
@options.data
@options.config
@options.as_json
@click.pass_context
def settings(context: click.Context, data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List all settings, or change one.

    They are shown as they will be after a restart.
    """
    if context.invoked_subcommand:
        return
    options.settings(config, data)
    rows = (
        {
            "setting": field.name,
            "value": field.value,
            "usual": field.is_default,
            "variable": field.variable or None,
            "allowed": book.allowed(book.kind(field.section, field.key)),
        }
        for field in _live(data, config).listed().fields
    )
    options.show(rows, as_json=as_json, empty="")


@settings.command("set")
@options.data
@options.config
@click.argument("name")
@click.argument("value")
def set_one(data: Path, config: Path | None, name: str, value: str) -> None:
    """Change a setting in the settings file.

    Example: hikma-hub settings set pairing.minutes 15
    """
    section, _, key = name.partition(".")
    book.value(section, key, value)  # says what is wrong with it, and what is allowed
    variable = book.variable(section, key)
    if variable in os.environ:
        raise OperatorError(f"{variable} is set, which overrides the settings file")
    with options.store(data, create=True) as store:
        try:
            changed = _live(data, config).change(store, {name: value}, also_closed=True)
        except SettingsRefused as error:
            raise error.__cause__ or SettingError(str(error)) from None
    path = options.settings_file(config, data)
    click.echo(
        f"{name} was changed in {path}. It takes effect when the hub restarts."
        if changed
        else f"Nothing changed: {name} already had this value."
    )


def _live(data: Path, config: Path | None) -> LiveSettings:
    return LiveSettings(options.settings(config, data), options.settings_file(config, data), os.environ)
