"""Where couriers start from, once Eyelid itself has given up sockets to the internet and could start none that has them. Linux only.

A small process (`python -m app.courier.depot`), started before that. It has a courier's rights and no more, and two duties, each done by a
copy of itself (fork(2)), so that it needs no program and no file for them:

    b"courier"    with the pipe's two ends and a leash: be a courier on that pipe. Over the leash comes its process id and a descriptor of
                  it (pidfd_open(2)), to end it by.
    b"doorstep"   with a socket: open a port of 127.0.0.1, tell which, and hand in each visitor as a local socket. For simulated glasses,
                  whose Wi-Fi is such a port: visitors get in, and nobody gets out this way.

Orders and descriptors come over a local socket; when that closes, the depot ends, and with it all that it started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading

from app.confine.memory import end_with_parent
from app.courier.__main__ import carry_for, hush
from app.courier.depot_link import COURIER, DOORSTEP, VISITOR, receive
from app.courier.indoors import Indoors, stay_indoors

_PIECE = 65_536


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever wants to know of an end has a descriptor of the process
    door = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    hush()
    serve(door, stay_indoors())
    os._exit(0)


def serve(door: socket.socket, indoors: Indoors) -> None:
    """Take orders until the other side closes the door."""
    while True:
        order, found = receive(door, 3)
        if not order:
            return
        with contextlib.suppress(OSError):  # no process more to be had: whoever asked sees its ends closed
            child = os.fork()
            if child == 0:
                _begin(door, order, found, indoors)
            elif order == COURIER:
                _tell_of(child, found[2])
        for each in found:
            os.close(each)


def _tell_of(child: int, leash: int) -> None:
    descriptor = os.pidfd_open(child)
    with socket.socket(fileno=os.dup(leash)) as way:
        socket.send_fds(way, [str(child).encode()], [descriptor])
    os.close(descriptor)


def _begin(door: socket.socket, order: bytes, found: list[int], indoors: Indoors) -> None:
    """The child's life. Whatever happens, it does not go on as a second depot."""
    try:
        end_with_parent()
        door.close()
        if order == COURIER:
            os.close(found[2])
            carry_for(found[0], found[1], indoors)
        elif order == DOORSTEP:
            _keep_doorstep(socket.socket(fileno=found[0]))
    finally:
        os._exit(1)


def _keep_doorstep(inside: socket.socket) -> None:
    """Let visitors in until nobody is inside any more."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        inside.send(str(port.getsockname()[1]).encode())
        watched = select.poll()
        for each in (inside, port):
            watched.register(each, select.POLLIN)
        while not any(ready == inside.fileno() for ready, _ in watched.poll()):
            with contextlib.suppress(OSError):  # a visitor who left again at once
                _let_in(port.accept()[0], inside)


def _let_in(visitor: socket.socket, inside: socket.socket) -> None:
    near, far = socket.socketpair()
    with far:
        socket.send_fds(inside, [VISITOR], [far.fileno()])
    for source, sink in ((visitor, near), (near, visitor)):
        threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way until that way ends; the other may go on."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        source.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
