"""The courier: a process of its own, and the only part of Eyelid with a window to the street.

It owns one HTTP transport and carries what the gate hands it over a pipe. It holds no key of the vault, sees no file of the person's, keeps
nothing on the disk, and imports nothing of the rest of the project but `app.confine`. Two modules here are for the other side: `pipe`, and
`depot_link` for the wiring.
"""
