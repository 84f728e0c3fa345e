"""What a board shows, from events alone: pure, for every kind of board.

Nothing here draws, reads a topic or asks a server.
"""
