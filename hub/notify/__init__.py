"""Channels: one module a way to reach people."""

from __future__ import annotations

__all__: list[str] = []
