"""A model that follows a script, in four wire languages; no code of the project is in it."""
