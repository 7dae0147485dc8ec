"""Simulated glasses: part of the product, for trying it without glasses, for tests, and for support."""
