"""The proxy: clients on one side, providers on the other, an exchange for each request between.

    server       listening sockets, clock, shutdown
    connection   one client connection: HTTP/1.1 requests, deadlines
    request      one request as it came
    responder    its answer, framed
    guard        who may talk to us, on raw headers
    app          which request is served by what
    pages        health and the model lists
    calls        from a complete request to an exchange under way
    routing      which configured model a request means
    body         a request's bytes: content coding, JSON, the model's place
    headers      which fields go on, which are recorded
    desk         what the exchanges of one server share
    relay        one exchange, from request to record
    tap          the recorded copy of an answer
    destination  where the calls of one model go
    upstream     one connection to a provider: HTTP/1.1 answers
    pool         connections kept for the next request
    local        answers made in this process
    suppress     what is not recorded

Nothing here knows that conversations, an index or datasets exist.
"""
