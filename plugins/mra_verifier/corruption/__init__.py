"""Labelled errors: a reference solution made wrong in a known way, at a known place. The kinds are ours."""

from __future__ import annotations

from mra_verifier.corruption.generator import KINDS, NOTICES, Corruption, corrupt

__all__ = ["KINDS", "NOTICES", "Corruption", "corrupt"]
