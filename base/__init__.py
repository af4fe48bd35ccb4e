"""Pieces that every room may use and that know no room: checks, files, hashing, environment, settings."""
