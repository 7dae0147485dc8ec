"""The courier: a process of its own, and the only part of Eyelid with a window to the street.

It owns one HTTP transport and carries what the gate hands it over a pipe. It holds no key of the vault, reads no files, keeps nothing
on the disk, and imports nothing of the rest of the project. `pipe` is the one module here that the other side of the pipe may use.
"""
