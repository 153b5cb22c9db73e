"""The journal: append-only segments of records, the only source of truth."""
