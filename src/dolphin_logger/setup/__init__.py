"""Setup: how clients are led through the proxy.

    _api       what the wiring of a client is, as data
    agents, …  the clients
    table      all of them, by name
    plan       client and circumstances → variables and arguments of one run
    upstream   where its requests went before, so that they still go there
    reading    what the client's own files say
    codex      the one client whose arguments depend on its files
    program    where a client's program is
    child      run it in the foreground
    recorded   what was recorded of a run

It never imports the proxy: what it needs to know of a running one it is told.
"""
