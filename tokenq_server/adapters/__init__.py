"""Implementations of the ports; each driver is used in one package only."""
