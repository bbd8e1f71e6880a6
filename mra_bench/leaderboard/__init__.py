"""Leaderboards: rows of run folders on boards that never mix, and what makes a stranger's row believable."""
