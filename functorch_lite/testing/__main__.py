"""`python -m functorch_lite.testing BACKEND`: the conformance kit on an installed backend."""

import sys

from .conformance import main

if __name__ == "__main__":
    sys.exit(main())
