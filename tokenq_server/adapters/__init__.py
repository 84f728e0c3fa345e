"""The doors' other side: each driver has its one home here."""
