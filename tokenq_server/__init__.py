"""The server of tokenq: it decides, remembers and tells; screens and commands only ask."""
