"""Publish: confirmed bytes, committed as a draft pull request on the Hugging Face Hub.

    changes    the exact files, and the hash of them        hub        calls to the Hub, in our words
    sender     one commit, in a process of its own          sending    watches over it
    proposal   from confirmed changes to one pull request

Only this room speaks to the Hub. Nothing goes up that was not confirmed by its hash.
"""
