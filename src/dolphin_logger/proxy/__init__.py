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
    recording    what is kept of one exchange
    tap          the recorded copy of an answer
    surfaces     which vendor API a path belongs to
    identity     who is calling
    upload       a body that passes as it comes
    translating  a call whose provider speaks another language
    awaited      a provider's answer as something to await
    translate/   one wire language into another, pure
    destination  where the calls of one model go
    upstream     one connection to a provider: HTTP/1.1 answers
    pool         connections kept for the next request
    local        answers made in this process
    suppress     what is not recorded

Nothing here knows that conversations, an index or datasets exist.
"""
