"""Features of a text for the classifier: TF-IDF of words, word pairs and character trigrams.

Decides the features and their limits. Trigrams are counted once per distinct word and spread over
the documents by a sparse product, which is many times faster than to split each document. Knows no
labels. Read next: `comprehend_engine.learning.classifier`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

MAX_WORDS, MAX_TRIGRAMS = 100_000, 50_000
"""Limits of the vocabularies, which have the most frequent terms."""

MAX_CHARACTERS = 6_000_000
"""In longer texts, words occur often enough to leave trigrams out, which saves time."""

MANY_TEXTS = 1_000
"""From this many texts on, a word or pair that occurs in only one of them is left out."""


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Two feature vectors of a text, each of length one, side by side.

    Parameters
    ----------
    words, trigrams : sequence of str
        Vocabularies, in the order of the columns; without trigrams where words suffice.
    rarity : array of shape (n_features,)
        Inverse document frequencies.
    """

    words: Sequence[str]
    trigrams: Sequence[str]
    rarity: npt.NDArray[np.float32]

    def rows(self, texts: Sequence[str]) -> Any:
        """Return texts as a sparse matrix, of shape (n_texts, n_features)."""
        counts = [_words(vocabulary=self.words).transform(texts)]
        if self.trigrams:
            count = _trigrams(vocabulary=self.trigrams).transform
            counts.append(_counts_of_trigrams(texts, count))
        return _weighted(counts, self.rarity)


def fit_features(texts: Sequence[str], *, most: int) -> tuple[TextFeatures, Any]:
    """Choose the vocabularies; return the features and the rows of the texts.

    Parameters
    ----------
    texts : sequence of str
        Training texts; at least one has a word.
    most : int
        Limit of the columns, at least 2.
    """
    words = _words(max_features=min(MAX_WORDS, most // 2))
    counts = [_fitted(words, texts)]
    trigrams: Mapping[str, int] = {}
    if sum(map(len, texts)) <= MAX_CHARACTERS:
        counter = _trigrams(max_features=min(MAX_TRIGRAMS, most // 2))
        counts.append(_counts_of_trigrams(texts, counter.fit_transform))
        trigrams = counter.vocabulary_
    rarity = np.concatenate([TfidfTransformer().fit(each).idf_ for each in counts])
    features = TextFeatures(
        _by_column(words.vocabulary_), _by_column(trigrams), rarity.astype(np.float32)
    )
    return features, _weighted(counts, features.rarity)


def _words(**options: Any) -> CountVectorizer:
    return CountVectorizer(ngram_range=(1, 2), **_OPTIONS, **options)


def _trigrams(**options: Any) -> CountVectorizer:
    return CountVectorizer(analyzer="char_wb", ngram_range=(3, 3), dtype=np.float32, **options)


def _fitted(words: CountVectorizer, texts: Sequence[str]) -> Any:
    """Count words; with many texts, only those in at least two texts, where there are any."""
    if len(texts) >= MANY_TEXTS:
        try:
            return words.set_params(min_df=2).fit_transform(texts)
        except ValueError:
            words.set_params(min_df=1)
    return words.fit_transform(texts)


def _counts_of_trigrams(texts: Sequence[str], count: Callable[[Sequence[str]], Any]) -> Any:
    counter = CountVectorizer(**_OPTIONS)
    try:
        occurrences = counter.fit_transform(texts)
    except ValueError:
        # No text has a word.
        return sparse.csr_matrix((len(texts), count([""]).shape[1]), dtype=np.float32)
    spread = occurrences @ count(counter.get_feature_names_out())
    # Float sums depend on their order, but scores must not depend on the other texts.
    spread.sort_indices()
    return spread


def _weighted(counts: Sequence[Any], rarity: npt.NDArray[np.float32]) -> Any:
    """Return sublinear TF-IDF."""
    views, first = [], 0
    for view in counts:
        np.log(view.data, out=view.data)
        view.data += 1
        view.data *= rarity[first + view.indices]
        first += view.shape[1]
        views.append(normalize(view, copy=False))
    return sparse.hstack(views, format="csr")


def _by_column(vocabulary: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(vocabulary, key=vocabulary.__getitem__))


_OPTIONS = {
    "strip_accents": "unicode",
    "token_pattern": r"\w+|[^\w\s]",
    "dtype": np.float32,
}
