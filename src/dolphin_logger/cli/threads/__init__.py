"""A conversation as it is printed.

    words       what is said about it, in every form: facts, folds, compactions
    text        for a terminal       markdown    for a page of Markdown
    page        one HTML file        structured  for JSON

Each takes a Thread (`conversation/thread.py`); none knows where it came from.
"""
