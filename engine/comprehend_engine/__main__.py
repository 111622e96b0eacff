"""`python -m comprehend_engine` is the command `comprehend-engine`."""

from comprehend_engine.command import main

main()
