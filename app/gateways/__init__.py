"""What is outside: each gateway is a Protocol with its real side. Called by a top, never in a transaction."""
