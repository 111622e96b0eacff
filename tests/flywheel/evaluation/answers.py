"""Documents that two models answered, for tests of what follows from them."""

from flywheel.evaluation.predictions import Answer, ScoredDocument


def one_label(actual: str, told: str) -> Answer:
    """Return the answer of a model that gives one label."""
    return Answer(((told, 1),), ((told, 1),) if told == actual else ())


def answered(name: str, actual: str, old: str | None, new: str) -> ScoredDocument:
    """Return a document of one label with both models' answers."""
    champion = None if old is None else one_label(actual, old)
    return ScoredDocument(name, ((actual, 1),), champion, one_label(actual, new))


def paired(fixed: int, broken: int, both_right: int, both_wrong: int) -> list[ScoredDocument]:
    """Return documents of the labels A and B, so many fixed and broken by the challenger."""
    kinds = [("B", "A")] * fixed + [("A", "B")] * broken + [("A", "A")] * both_right
    kinds += [("B", "B")] * both_wrong
    turned = {"A": "B", "B": "A"}
    documents = []
    for place, (old, new) in enumerate(kinds):
        # Every other document is of label B, so that both labels are seen.
        if place % 2:
            documents.append(answered(f"d{place}", "B", turned[old], turned[new]))
        else:
            documents.append(answered(f"d{place}", "A", old, new))
    return documents
