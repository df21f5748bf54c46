"""Takes the network away from a process: only this machine itself may be spoken to.

A second fence behind the offline switches of the libraries. It stops Python code; it is no sandbox for native code.
"""

import ipaddress
import sys
from typing import Any


def forbid_network() -> None:
    """From now on, refuse every connection and name lookup that leaves this machine. Cannot be undone."""
    sys.addaudithook(_refuse)


def stays_here(host: object) -> bool:
    """Say whether a host is this machine."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # other families, AF_UNIX among them, stay here
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not stays_here(host):
        raise PermissionError(f"a trainer has no network, and asked for {host!r}")
