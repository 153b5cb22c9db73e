"""Curate: conversations in, a dataset out.

    recipe, recipes  what is wanted                  survey, gather  every record placed; the chosen ones together
    selection        which records, and why not      material        one conversation in words
    pieces, pairs    what it gives, and for whom     filters, judge  what is not good enough, and why
    duplicates       what was said before            redaction       what must not leave, replaced
    work, part       one bucket, in its process      merge, writers  all parts, in files
    build, site      the way through all of them     manifest        what came of it

It reads the journal and writes only into a dataset's folder. Every row that is dropped has a reason,
every replaced span a finding.
"""
