"""The server of tokenq, which makes all decisions; commands and screens are its clients."""
