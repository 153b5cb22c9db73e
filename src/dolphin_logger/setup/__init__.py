"""Setup: how clients are led through the proxy.

    _api                       what the wiring of a client is, as data
    agents, apps, sdks         the clients
    table                      all of them, by name
    plan                       client and circumstances → variables and arguments of one run
    codex                      the one client whose wiring depends on its own files
    reading, upstream          what those files say; where requests went before
    program, child, recorded   find a client, run it in the foreground, count what was recorded
    shells                     variables as lines for a shell
    edits                      what `connect` makes of a file's text, and the way back
    jsonc, dotenv, yaml_lines  the formats, changed in place
    connection                 files, backups, receipts

It never imports the proxy: what it needs to know of a running one it is told.
"""
