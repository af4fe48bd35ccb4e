"""Crops to shards and back: templates, shards, dataset folders, order, augmentation, input, benchmarks, sheets."""
