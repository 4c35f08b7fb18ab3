"""Tests. The folders mirror `app/`; stories, contract, published, architecture, benchmarks stand beside."""
