"""The first moments of a child: become the wished account, ask to end with the parent, then become the program itself.

Run as a program of its own, never imported: what happens between fork and exec in a process with threads may hang or fail (a
library's fork handler that starts a thread in the child is enough for the kernel to refuse it a user namespace), so `process.spawn`
starts this with nothing in between. Standard library only.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NAMESPACE_ACCOUNT = 1000


def _enter_namespace(libc: ctypes.CDLL) -> None:
    """What `unshare --user --map-user=1000 --map-group=1000` does: files stay ours, the program sees an ordinary user."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are switched off")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NAMESPACE_ACCOUNT} {user} 1"),
        ("gid_map", f"{_NAMESPACE_ACCOUNT} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as table:  # noqa: PTH123 - pathlib would double the start-up
            table.write(text)


def main(parent: str, when_parent_dies: str, account: str, *command: str) -> None:
    """Become `command`. `account` is `ourselves`, `namespace` or `<uid>:<gid>`."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if account == "namespace":
        if libc is None:
            raise OSError("there are no user namespaces here")
        _enter_namespace(libc)
    elif account != "ourselves":
        user, group = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After the change of account, which clears the wish.
    if libc is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(when_parent_dies), 0, 0, 0)
        if os.getppid() != int(parent):  # died in between: nobody would tell us any more
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - exactly what the supervisor asked for


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[4]}: {error}")
