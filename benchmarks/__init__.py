"""Measurements that take long; each prints one JSON object as its last line."""
