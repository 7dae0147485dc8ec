"""What a process of Eyelid gives up, for good, with the kernel's help: sockets, programs, files, being looked into.

Owns the numbers and layouts of the kernel's interfaces, and nothing else: which process gives up what is decided where that process begins.
Everything here may be called on any system; where the kernel can't help, the answer says so and nothing else happens.
"""
