"""All of Bookbag on one machine, from parts that come as wheels: what `bookbag up` starts, watches and stops.

The supervisor shares the machine with everything it starts, so nothing here imports a web framework, a database driver or
gRPC: the process stays near 30 MB and begins to work at once.
"""
