"""Texts that another tool has stored, made into a run folder: read, matched with problems, graded, never generated."""
