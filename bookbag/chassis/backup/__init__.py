"""Backup and restore of a whole installation: every service's rows and the files, put down so that they can be proved when they come back.

Rows travel by COPY and never by a dump: the schema is what the migrations say, so a backup holds data alone, and nothing in it is ever
executed. Each service is taken in one snapshot of its own; in which order, and what is put right afterwards so that the services agree
again, is what this package decides.
"""


class BackupRefused(Exception):
    """It cannot be taken or given back; the words say why and what to do."""
