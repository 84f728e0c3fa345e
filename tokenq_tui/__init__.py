"""Two terminal screens: the public board and the staff console."""
