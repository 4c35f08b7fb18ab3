"""Scripts behind the Makefile. Those that set up use the standard library alone: they run before all else."""
