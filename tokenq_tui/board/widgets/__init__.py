"""The board's widgets; each only shows what it is given."""
