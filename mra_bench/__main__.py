"""``python -m mra_bench`` is the same as ``mra-bench``."""

from mra_bench.cli import main

if __name__ == "__main__":
    main()
