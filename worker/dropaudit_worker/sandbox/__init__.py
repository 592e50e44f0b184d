"""The process that runs models: bytes come in and a report goes out over a socket, and it has nothing else.

`host` is the side that is trusted, `process` the other; `wire` is all that passes between them.
"""
