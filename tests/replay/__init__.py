"""Recorded nights."""
