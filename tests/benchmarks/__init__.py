"""Measurements of speed that lessons quote; run by hand, never by pytest."""
