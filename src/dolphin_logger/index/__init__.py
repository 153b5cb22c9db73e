"""The index: what the journal says, in a form that answers questions. Derived; may be deleted."""
