"""dolphin-logger: record conversations with any language model, build datasets from the good ones."""
