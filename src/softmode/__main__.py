"""`python -m softmode`."""

from softmode.cli import main

raise SystemExit(main())
