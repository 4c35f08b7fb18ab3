"""What is outside: each a Protocol with its real side or a stand-in. Never called in a transaction."""
