"""Figures of each program in Prometheus' text format."""
