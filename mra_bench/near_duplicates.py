"""Questions that are nearly the same words: MinHash finds who may be, the sets themselves decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

THRESHOLD = 0.5  # of the different 3-word runs of two questions at least so many are in both (Jaccard)
SHINGLE = 3
PERMUTATIONS = 64
BANDS = (16, 4)  # bands and rows: finds 64 % of pairs at the threshold, 90 % at 0.6, 99 % at 0.71
SEED = 1


def shingles(words: Sequence[str]) -> frozenset[str]:
    """The different runs of three words; empty for fewer."""
    return frozenset(map(" ".join, zip(*(words[start:] for start in range(SHINGLE)), strict=False)))


def near_duplicates(questions: Sequence[Sequence[str]], texts: Iterable[Sequence[str]]) -> Iterator[list[int]]:
    """For each text, all given as words, the places of the questions that are near-duplicates of it: Jaccard
    similarity of at least `THRESHOLD`, counted exactly, among those that MinHash (seeded) brings up."""
    from datasketch import MinHash, MinHashLSH

    def hashed(sets: Iterable[frozenset[str]]) -> Iterator[tuple[frozenset[str], MinHash]]:
        blank = MinHash(PERMUTATIONS, seed=SEED)
        for one in sets:
            made = blank.copy()
            made.update_batch([run.encode() for run in one])
            yield one, made

    lsh = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS)
    known = []
    for place, (one, made) in enumerate(hashed(map(shingles, questions))):
        known.append(one)
        if one:
            lsh.insert(place, made)
    for one, made in hashed(map(shingles, texts)):
        yield sorted(place for place in lsh.query(made) if alike(one, known[place]) >= THRESHOLD) if one else []


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard similarity of two sets, one of them not empty: what both hold over what either holds."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)
