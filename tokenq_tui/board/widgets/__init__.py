"""The parts of the board; each shows what it is given and asks for nothing."""
