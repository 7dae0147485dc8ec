"""The wiring: everything a front end (window or command line) can ask of Eyelid, on one event loop.

Owns start and stop of the courier, the radio thread, the vault lane and the sharing desk, in the order that keeps the promises
(the courier starts before the vault opens). Knows no screen. All methods are to be awaited on the loop that called `start`.
"""
