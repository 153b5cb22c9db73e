"""The version, read by the build and by `dolphin-logger version`."""

__version__ = "1.0.0.dev0"
