"""Photographs -> crops: read, detect, choose, warp, and a manifest of what became of each."""
