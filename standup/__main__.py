"""`python -m standup`: the command line."""

from standup.cli import main

if __name__ == "__main__":
    main()
