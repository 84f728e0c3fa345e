"""The vocabulary shared by CLI, server and screens: words, shapes and codes, no behaviour of a queue.

Everybody may import from here; nothing here imports anything else of tokenq.
"""
