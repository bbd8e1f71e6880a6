"""Recipes that travel with the package, one YAML each."""
