"""``python -m tokenq``."""

from tokenq.cli.main import main

if __name__ == "__main__":
    main()
