"""Curate: conversations in, a dataset out.

    recipe      what is wanted                       survey      every record placed, none held
    selection   which conversations and turns        pairs       which answer was better
    filters     what is not good enough, and why     redaction   what must not leave, replaced
    build       the way through all of them          check       the proof on the built files

It reads the journal and writes only into a dataset's folder. Every row that is dropped has a reason,
every replaced span a finding.
"""
