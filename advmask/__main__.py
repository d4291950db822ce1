"""`python -m advmask`: the console script."""

import sys

from advmask.cli import main

if __name__ == "__main__":
    sys.exit(main())
