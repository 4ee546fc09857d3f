"""`python -m assess_assets.cli`: `assess` where its script is not on the path.

Belongs here: nothing but the call.
"""

from assess_assets.cli import main

if __name__ == "__main__":
    main()
