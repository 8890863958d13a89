"""`hub notify`: trying a channel out."""

from __future__ import annotations

import click

from hub import app
from hub.cli_devices import plain_errors
from hub.settings import load_settings

__all__ = ["notify"]


@click.group()
def notify() -> None:
    """Channels by which people are told. 通知渠道。"""


@notify.command("test")
@click.argument("channel", type=click.Choice(["voice", "sms", "chat", "mail"]))
@click.argument("to")
@plain_errors
def notify_test(channel: str, to: str) -> None:
    """Sends a test at once: TO is a number, a chat group's name or a mail address. Exit status 1: it failed. 测试。"""
    click.echo(f"ok: {app.try_channel(load_settings(), channel, to)}")
