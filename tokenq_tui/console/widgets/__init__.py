"""The parts of the console; each shows what it is given and says upward what was clicked."""
