"""What the learner promises, on documents made up here."""

import io
import os
import pickle
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from comprehend_engine.errors import IterationFailedError
from comprehend_engine.learning.calibration import MarginCalibration
from comprehend_engine.learning.classifier import (
    TextClassifier,
    train_classifier,
)
from comprehend_engine.learning.model_files import load, save

TOPICS = {
    "card": "card chip pin expired contactless blocked plastic wallet",
    "loan": "loan interest mortgage rate borrow repay term credit",
    "rent": "rent flat landlord lease deposit keys tenant move",
}
ACCENTED = {
    "es": ["¿dónde está mi tarjeta?", "no llegó el cartón mañana"],
    "de": ["Die Überweisung fehlt für März", "größere Beträge gehen nicht"],
    "fr": ["où est passé mon chèque ?", "la carte a été volée à Noël"],
    "pt": ["não recebi o cartão", "a transação está errada"],
    "it": ["perché è più caro così", "la città è già chiusa"],
    "en": ["where is my card", "the transfer never came"],
}


def documents(count: int, seed: int, own_words: int = 2) -> tuple[list[str], list[tuple[str, ...]]]:
    """Make documents whose words are mostly, not always, those of their one topic."""
    chooser = random.Random(seed)
    texts: list[str] = []
    labels: list[tuple[str, ...]] = []
    for _ in range(count):
        topic, foreign = chooser.choice(list(TOPICS)), chooser.choice(list(TOPICS))
        words = chooser.sample(TOPICS[topic].split(), own_words)
        texts.append(" ".join(words + chooser.sample(TOPICS[foreign].split(), 2)))
        labels.append((topic,))
    return texts, labels


def many_labels(count: int, seed: int) -> tuple[list[str], list[tuple[str, ...]]]:
    """Make documents with words of each of their topics, one to three; "loan" is rare."""
    chooser = random.Random(seed)
    texts: list[str] = []
    labels: list[tuple[str, ...]] = []
    chances = {"card": 0.6, "rent": 0.3, "loan": 0.06}
    for _ in range(count):
        topics = [topic for topic in TOPICS if chooser.random() < chances[topic]] or ["rent"]
        words = [word for topic in topics for word in chooser.sample(TOPICS[topic].split(), 2)]
        texts.append(" ".join([*words, chooser.choice(TOPICS["loan"].split())]))
        labels.append(tuple(sorted(topics)))
    return texts, labels


def calibration_error(scores: Sequence[float], is_right: Sequence[bool]) -> float:
    """Return the expected difference between score and share that is right, over ten bins."""
    gaps = np.asarray(scores, float) - np.asarray(is_right, float)
    bins = np.minimum((np.asarray(scores) * 10).astype(int), 9)
    return float(sum(abs(gaps[bins == each].sum()) for each in range(10)) / len(gaps))


def array_file(write: Callable[..., None]) -> bytes:
    """Return a file that numpy wrote."""
    file = io.BytesIO()
    write(file, np.ones(3))
    return file.getvalue()


def trained(count: int = 300, seed: int = 1) -> TextClassifier:
    """Train on documents of one topic each."""
    return train_classifier(*documents(count, seed), mode="MULTI_CLASS", seed=0)


def test_scores_are_probabilities_of_one_label_when_labels_are_exclusive() -> None:
    """They sum to one, the highest is the prediction, and they are calibrated."""
    texts, labels = documents(1500, seed=2)
    model = trained(1500)
    scores = model.scores(texts)
    assert model.labels == ("card", "loan", "rent")
    assert scores.shape == (1500, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    predicted = model.predict(texts)
    assert predicted == [(model.labels[best],) for best in scores.argmax(axis=1)]
    right = [given == label for given, label in zip(predicted, labels, strict=True)]
    assert 0.6 < np.mean(right) < 0.99
    assert calibration_error(scores.max(axis=1).tolist(), right) < 0.05


def test_scores_stand_alone_when_a_document_may_have_many_labels() -> None:
    """Each is a calibrated probability; rare labels are still predicted."""
    model = train_classifier(*many_labels(1500, seed=1), mode="MULTI_LABEL", seed=0)
    texts, labels = many_labels(1500, seed=2)
    scores = model.scores(texts)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.sum(axis=1).max() > 1.5
    has = np.array([[label in each for label in model.labels] for each in labels])
    assert calibration_error(scores.ravel().tolist(), has.ravel().tolist()) < 0.03
    given = np.array([[label in each for label in model.labels] for each in model.predict(texts)])
    f1 = 2 * (given & has).sum(axis=0) / (given.sum(axis=0) + has.sum(axis=0))
    assert f1.min() > 0.8


def test_a_document_gets_a_label_when_none_reaches_its_threshold() -> None:
    """The likeliest, so that no answer is empty."""
    model = train_classifier(*many_labels(400, seed=1), mode="MULTI_LABEL", seed=0)
    texts = ["", "quite something else", "..."]
    assert all(len(given) >= 1 for given in model.predict(texts))
    assert (model.scores(texts).max(axis=1) >= 0.5).all()


def test_a_half_is_the_decision_when_labels_are_given_that_are_less_likely() -> None:
    """Whatever a label's threshold: scores keep their order, and those away from a half stay."""
    likely = np.arange(0.0005, 1, 0.001).repeat(2).reshape(-1, 2)
    margins = np.log(likely / (1 - likely)).astype(np.float32)
    scores = MarginCalibration(1.0, 0.0, np.array([0.2, 0.7])).scores(margins)
    below, above = likely[:, 0] < 0.2, likely[:, 0] > 0.2
    # The first label alone is given to where the second's begins; the likeliest where none is.
    assert (scores[above, 0] >= 0.5).all()
    assert ((scores[:, 1] >= 0.5) == (likely[:, 1] > 0.7)).all()
    assert (np.diff(scores[above, 0]) > 0).all()
    assert (np.diff(scores[:, 1]) > 0).all()
    stays = (likely > 0.51) & (scores >= 0.5) | (likely < 0.49) & (scores < 0.5)
    np.testing.assert_allclose(scores[stays], likely[stays], atol=1e-6)
    assert ((scores[below] >= 0.5) == [True, False]).all()


@pytest.mark.parametrize("mode", ["MULTI_CLASS", "MULTI_LABEL"])
def test_the_model_is_the_same_when_data_and_seed_are(tmp_path: Path, mode: str) -> None:
    """The files are equal byte for byte, and a saved model has the same scores."""
    texts, labels = documents(300, seed=1)
    models = [train_classifier(texts, labels, mode=mode, seed=7) for _ in range(2)]
    for number, model in enumerate(models):
        save(model, tmp_path / f"{number}.model")
    assert (tmp_path / "0.model").read_bytes() == (tmp_path / "1.model").read_bytes()
    again = load(tmp_path / "0.model")
    np.testing.assert_array_equal(again.scores(texts), models[0].scores(texts))
    assert again.predict(texts) == models[0].predict(texts)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.model", "1.model"]


def test_loading_is_refused_when_the_file_is_gone(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(IterationFailedError, match=r"absent\.model"):
        load(tmp_path / "absent.model")


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"labels": ("a", "b")}),
        b"",
        b"PK\x03\x04 and no more",
        array_file(np.save),
        array_file(np.savez),
        array_file(partial(np.savez, header=np.frombuffer(b'{"format": 0}', np.uint8))),
    ],
    ids=["pickle", "empty", "part of an archive", "array", "no header", "other format"],
)
def test_loading_is_refused_when_another_release_wrote_the_file(
    tmp_path: Path, content: bytes
) -> None:
    """The message names the file and asks for a new training."""
    (tmp_path / "old.model").write_bytes(content)
    with pytest.raises(
        IterationFailedError, match=r"cannot read .*old\.model\. Train the model again"
    ):
        load(tmp_path / "old.model")


class Trap:
    """What a pickle could hold: unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.folder,)


def test_no_code_runs_when_a_stored_array_holds_some(tmp_path: Path) -> None:
    """Pickled objects inside of arrays are refused unread."""
    save(trained(), tmp_path / "a.model")
    with np.load(tmp_path / "a.model") as members:
        arrays = dict(members)
    arrays["weights"] = np.array([Trap(tmp_path / "sprung")], object)
    with (tmp_path / "a.model").open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(IterationFailedError, match="Train the model again"):
        load(tmp_path / "a.model")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("mode", ["MULTI_CLASS", "MULTI_LABEL"])
@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        ([], [], "documents of these labels: \\[\\]"),
        (["a text"], [("card",)], "documents of these labels: \\[.card.\\]"),
        (["...", "!!!"], [("card",), ("loan",)], "have no words"),
    ],
)
def test_training_is_refused_when_there_is_nothing_to_learn(
    texts: list[str], labels: list[tuple[str, ...]], expected: str, mode: str
) -> None:
    """The message names the missing data."""
    with pytest.raises(IterationFailedError, match=expected):
        train_classifier(texts, labels, mode=mode, seed=0)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "?!...", "🙂👍🏽", "\ud800", "İstanbul'da ﬁn", "x" * 100_000, "नमस्ते दुनिया", "\x00"],
)
def test_any_text_is_answered_when_it_is_odd(text: str) -> None:
    """Also where no feature of it is known."""
    model = trained()
    assert model.scores([text]).shape == (1, 3)
    np.testing.assert_allclose(model.scores([text]).sum(), 1)
    odd = train_classifier([text, "a word"] * 5, [("a",), ("b",)] * 5, mode="MULTI_CLASS", seed=0)
    assert odd.predict(["a word"]) == [("b",)]


@pytest.mark.parametrize("mode", ["MULTI_CLASS", "MULTI_LABEL"])
def test_a_label_is_known_when_one_document_has_it(mode: str) -> None:
    """That document is always learned from, whichever are held out."""
    texts, labels = documents(60, seed=1)
    for seed in range(5):
        model = train_classifier(
            [*texts, "parachute over greenland"], [*labels, ("rare",)], mode=mode, seed=seed
        )
        assert "rare" in model.labels
        assert "rare" in model.predict(["parachute over greenland"])[0]


def test_a_label_is_always_given_when_all_documents_have_it() -> None:
    """A label of every document has no negative example."""
    texts, labels = many_labels(200, seed=1)
    both = [(*each, "all") for each in labels]
    model = train_classifier(texts, both, mode="MULTI_LABEL", seed=0)
    assert all("all" in given for given in model.predict(["", *many_labels(50, seed=2)[0]]))


def test_topics_are_told_apart_when_documents_outnumber_features() -> None:
    """Thousands of documents of two dozen words, which other solvers give up after one step."""
    model = train_classifier(*documents(6000, seed=1), mode="MULTI_CLASS", seed=0)
    unseen, wanted = documents(300, seed=2, own_words=4)
    assert np.mean([a == b for a, b in zip(model.predict(unseen), wanted, strict=True)]) > 0.8


def test_every_label_is_predicted_when_there_are_many() -> None:
    """Hundreds of labels with three documents each."""
    names = [f"topic{number}" for number in range(300)]
    texts = [f"{name} {filler}" for name in names for filler in ("please", "today", "again")]
    labels = [(name,) for name in names for _ in range(3)]
    model = train_classifier(texts, labels, mode="MULTI_CLASS", seed=0)
    assert model.predict([f"{name} now" for name in names]) == [(name,) for name in names]


def test_words_count_when_no_two_of_many_texts_share_one() -> None:
    """Then even words of a single text are features."""
    texts = [f"a{number}" if number % 2 else f"b{number}" for number in range(1200)]
    labels = [("a",) if number % 2 else ("b",) for number in range(1200)]
    model = train_classifier(texts, labels, mode="MULTI_CLASS", seed=0)
    assert model.predict(["a1", "b2"]) == [("a",), ("b",)]


def test_two_documents_are_enough_when_they_differ() -> None:
    """The least there can be: one document of each of two labels."""
    model = train_classifier(["red", "blue"], [("r",), ("b",)], mode="MULTI_CLASS", seed=0)
    assert model.predict(["red", "blue"]) == [("r",), ("b",)]


def test_the_six_languages_are_told_apart_when_written_with_accents() -> None:
    """However the accents are encoded: as one character, or as a letter and a mark."""
    texts = [text for each in ACCENTED.values() for text in each] * 3
    labels = [(language,) for language, each in ACCENTED.items() for _ in each] * 3
    model = train_classifier(texts, labels, mode="MULTI_CLASS", seed=0)
    apart = [text.replace("ã", "a\u0303").replace("é", "e\u0301") for text in texts]
    assert model.predict(texts) == labels
    np.testing.assert_allclose(model.scores(apart), model.scores(texts))


def test_scores_do_not_depend_on_what_is_scored_with_them() -> None:
    """A text has the same scores alone and among others."""
    texts, _ = documents(50, seed=3)
    model = trained()
    together = model.scores(texts)
    alone = np.concatenate([model.scores([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_long_documents_are_told_apart_by_words_when_they_open_alike() -> None:
    """The words after the beginning count."""
    opening = "to whom it may concern " * 20
    texts, labels = documents(200, seed=1)
    model = train_classifier([opening + text for text in texts], labels, mode="MULTI_CLASS", seed=0)
    unseen, wanted = documents(200, seed=2, own_words=4)
    given = model.predict([opening + text for text in unseen])
    assert np.mean([a == b for a, b in zip(given, wanted, strict=True)]) > 0.8
