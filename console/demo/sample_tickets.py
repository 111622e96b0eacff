"""Make labeled support tickets: sample data that needs no download and nobody's permission.

Decides what the tickets say: a small grammar with a fixed seed, where labels share vocabulary, some
tickets could bear two labels and people mistype, so that a model has something left to learn
from more data. It must not know what is done with them.
Read next: `console.demo.split`, which cuts a user's own rows into the same parts.
"""

import random
import re
from collections.abc import Iterator
from itertools import islice

from console.demo.split import with_wrong_labels
from console.demo.tasks import DemoParts, Row
from flywheel.intake.labeled_rows import LabeledRow as Document
from flywheel.intake.labeled_rows import csv_line

_SEED = 8
_TEST_ROWS, _FIRST_ROWS, _MORE_ROWS, _MISLABELED_ROWS = 400, 300, 1500, 900
_BROKEN_FILE_GOOD_ROWS = 6

_FREQUENCIES = {
    "BILLING": 20,
    "SHIPPING": 18,
    "TECHNICAL": 15,
    "ACCOUNT_ACCESS": 13,
    "RETURNS": 11,
    "PRODUCT_QUESTION": 9,
    "CANCELLATION": 8,
    "FEEDBACK": 6,
}

LABELS = tuple(_FREQUENCIES)
"""The labels of sample tickets, the most frequent first."""

_SLOTS = {
    "item": "lamp|kettle|desk chair|headphones|backpack|tent|bike light|router|coffee grinder|"
    "winter jacket|running shoes|keyboard|garden hose|mixer|suitcase|baby monitor|projector|"
    "toaster|speaker|bookshelf|drill|yoga mat|smart watch|vacuum cleaner|rice cooker|webcam",
    "when": "yesterday|last week|on Monday|two days ago|in March|this morning|over the weekend|"
    "at the end of the month|twelve days ago|on Friday|a month ago|on the 3rd",
    "day": "yesterday|last week|Monday|March|this morning|the weekend|Friday|the 3rd|the update",
    "sum": "$19.90|$240|49 euros|12.50|$89|the full amount|$7.99|130 dollars|$35|about 60 euros",
    "device": "phone|tablet|laptop|Android|iPhone|browser|television|PC at work|Chromebook",
    "plan": "premium plan|yearly plan|subscription|membership|family plan|trial|monthly box",
    "hello": "Hi,|Hello,|Good morning,|Dear team,|Hey,|Hi there,|To whom it may concern:|Urgent:",
    "please": "please help|can you check|what should I do|please advise|thanks in advance|"
    "kindly look into it|awaiting your reply|please get back to me|any idea|this is urgent",
}

# What a ticket of each label asks for. The same words are meant to turn up under several labels.
_REQUESTS = {
    "BILLING": (
        "I was (charged|billed|debited) (twice|two times|again|{sum} too much) for (my|the) "
        "({item}|{plan})",
        "the (invoice|receipt|bill) for the {item} (is wrong|shows {sum}|has the wrong address|"
        "never came)",
        "my (card|bank|statement) shows (a payment|a deduction|a transfer) of {sum} I do not know",
        "why did the price of the {plan} (go up|rise|change) (to {sum}|without notice|{when})",
        "the (discount|voucher|coupon|gift card) was not (applied|deducted|counted) (at checkout|)",
        "(I need|please send) (a VAT invoice|a receipt|an itemised statement) for (the {item}|tax)",
        "payment by (PayPal|direct debit|credit card|transfer) (is declined|fails|was rejected)",
        "I still see {sum} (pending|outstanding|overdue) (although I paid {when}|on my account)",
        "how do I change (the card on file|my payment method|the billing address)",
    ),
    "SHIPPING": (
        "(where is|I am still waiting for) my ({item}|order|parcel), (ordered|paid for) {when}",
        "the (tracking|courier site|tracking number) (has not moved|shows nothing|says delivered) "
        "(since {day}|and I have no {item}|)",
        "the (courier|driver|postman) left the {item} (at the wrong door|in the rain|with nobody)",
        "my (package|order|box) was (sent|delivered|shipped) to (my old address|a neighbour|"
        "another city)",
        "can I (change|correct|update) the (delivery address|drop-off point) for the {item}",
        "the {item} was (due|promised|expected) {when} and (nothing arrived|it is late|is stuck)",
        "how (fast|dear|reliable) is (express|overseas|weekend) (delivery|dispatch)",
        "customs (holds|stopped|wants papers for) my (parcel|{item}|shipment)",
        "only (half|one box|part) of the (order|{item}) (came|arrived|was in the delivery)",
    ),
    "TECHNICAL": (
        "the (app|site|page) (crashes|freezes|hangs|closes) (on my {device}|when I pay|at start)",
        "the {item} (will not|does not) (turn on|pair|charge|connect|update) (any more|{when}|)",
        "(error|code) (E42|500|0x80|1017) (when I|as I) (check out|sync|save|open the settings)",
        "the (firmware|update|new version) (broke|bricked|slowed down) my ({item}|{device})",
        "(bluetooth|wifi|the sensor|the display) of the {item} (drops|flickers|stopped working)",
        "(notifications|search|the cart|the chat) (does not load|shows nothing|is blank) on my "
        "{device}",
        "(videos|pictures|maps) (stutter|do not load|stay black) (since {day}|on my {device})",
        "my {device} (cannot find|no longer sees|loses) the {item}",
        "the {item} (overheats|beeps all night|restarts by itself|makes a grinding noise)",
    ),
    "ACCOUNT_ACCESS": (
        "I (cannot|can't|am unable to) (log in|sign in|get in) (on my {device}|since {day}|)",
        "the (password|reset) (mail|link|code) (never arrives|has expired|is not valid)",
        "my (account|profile|login) is (locked|blocked|suspended|disabled) (since {day}|)",
        "the (two-factor|verification|SMS) code (does not come|is rejected|goes to my old phone)",
        "(someone|a stranger) (changed|got into|uses) my (account|mail address|password)",
        "how do I change the (mail address|user name|phone number) (of my account|I sign in with)",
        "I (forgot|lost|mistyped) my (password|user name|PIN) and the (page|app) locks me out",
        "please (merge|unlock|restore) my (two accounts|old account|profile)",
        "it says (unknown user|wrong password|session expired) on (my {device}|every device)",
    ),
    "RETURNS": (
        "I (want|would like) to (return|send back|exchange) the {item} (I got {when}|)",
        "the {item} (arrived|came|was delivered) (broken|scratched|with a part missing|torn)",
        "the {item} is (too small|too big|the wrong colour|not as described), can I swap it",
        "where is my refund for the {item} I (sent back|returned) {when}",
        "please (send|mail) me a (return label|label|return slip) for the {item}",
        "(for how long|until when) can I (return|exchange) my (opened|used|unwanted) {item}",
        "I got the wrong (colour|size|model): the {item} instead of the {item}",
        "is the {item} still under (warranty|guarantee), it (broke|failed|cracked) {when}",
    ),
    "PRODUCT_QUESTION": (
        "does the {item} (work|fit|pair) with (my {device}|your {item}|the older model)",
        "is the {item} (waterproof|dishwasher safe|in stock|available in blue|made in Europe)",
        "what (size|weight|power|battery life|length) does the {item} have",
        "which {item} (is better|do you recommend|would suit) for (a child|travel|a small flat)",
        "when will the {item} be (back|available|in the shop) again",
        "is a (charger|cable|manual|bag|spare part) included with the {item}",
        "what is the difference between the (basic and the premium|old and the new) {item}",
        "can the {item} be used (outdoors|abroad|without the app|in winter)",
    ),
    "CANCELLATION": (
        "(please|I want to|I wish to) (cancel|end|stop) my ({plan}|contract|order for the {item})",
        "(do not renew|please stop renewing|switch off the renewal of) (my|the) {plan}",
        "I (ordered|booked) the {item} (by mistake|twice|{when}) and no longer want it",
        "how can I (get out of|terminate|leave|quit) the {plan}",
        "(close|delete|remove) my account and (all my data|stop the {plan}|every order)",
        "I (cancelled|ended) the {plan} {when} but (it goes on|it was renewed|got no confirmation)",
        "is there a (fee|notice period|deadline) for (cancelling|ending) the {plan}",
    ),
    "FEEDBACK": (
        "(great|excellent|poor|slow|wonderful|terrible) (service|support|delivery|advice), "
        "(thank you|never again|well done|very sad)",
        "I (love|like|hate|am pleased with) the (new site|{item}|packaging|app)",
        "your (chat agent|driver|colleague|hotline) was (very kind|rude|so helpful|impatient)",
        "it would be (nice|great|useful) to (have a dark mode|track refunds|pay by invoice|"
        "choose a delivery day)",
        "(suggestion|an idea|a wish): (use less plastic|add larger sizes|show stock in the app)",
        "(five stars|two stars|a compliment|a complaint) for the (packing|{item}|checkout|courier)",
    ),
}

# Said in tickets of every label; each pulls towards a label that may not be meant.
_ASIDES = (
    "I paid {sum} {when}",
    "the {item} arrived {when}",
    "I have been a customer for years",
    "the tracking says delivered",
    "I already tried my {device}",
    "I could not find it in the app",
    "my {plan} started {when}",
    "otherwise I will cancel",
    "otherwise I want a refund",
    "your hotline was no help",
    "I wrote to you {when}",
    "I logged in to check",
    "the invoice is attached",
    "it worked {when}",
    "the parcel was open",
    "my card was charged",
    "I like the {item} otherwise",
)

# Too short to tell: whoever labeled these knew more than the text says.
_VAGUE = (
    "question about my {item} (ordered {when}|), {please}",
    "problem with (the order|the {item}|my {plan}) {when}, {please}",
    "still no answer about the {item} (I wrote {when}|), {please}",
    "(nothing works|it does not work|this is not right) with (my {plan}|the {item}), {please}",
    "I need help with (my account|the {item}|the {plan}) since {day}, {please}",
)

_VAGUE_SHARE, _ASIDE_SHARE, _HELLO_SHARE, _TYPO_SHARE = 0.12, 0.55, 0.25, 0.3
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")


def generate_tickets(count: int, seed: int) -> list[Row]:
    """Make distinct support tickets; the same seed gives the same ones.

    Parameters
    ----------
    count : int
        How many, 0 or more; a larger count begins with the same tickets.
    seed : int

    Returns
    -------
    list of Row
        (label, text); texts are one physical line and all different.

    Examples
    --------
    >>> generate_tickets(2, seed=1) == generate_tickets(3, seed=1)[:2]
    True
    """
    rng = random.Random(seed)
    weights = list(_FREQUENCIES.values())
    tickets: dict[str, str] = {}
    while len(tickets) < count:
        (label,) = rng.choices(LABELS, weights=weights)
        tickets.setdefault(_ticket(label, rng), label)
    return [(label, text) for text, label in tickets.items()]


def sample_parts(seed: int = _SEED) -> DemoParts:
    """Make the sample files; no text is in two of them.

    Parameters
    ----------
    seed : int
    """
    test, first, more, third, _ = _sample_rows(seed)
    return DemoParts(test, first, more, with_wrong_labels(third, LABELS, seed))


def broken_sample() -> bytes:
    """Make a file with a header, a wrong column count, an unknown label and an empty text."""
    *_, good = _sample_rows(_SEED)
    lines = [csv_line(Document(label, text)) for label, text in good]
    lines[2:2] = ["SHIPPING,My parcel is late, and nobody answers\n"]
    lines[4:4] = ["BILING,I was charged twice\n"]
    lines[6:6] = ["RETURNS,\n"]
    return "".join(["label,text\n", *lines]).encode()


def _sample_rows(seed: int) -> Iterator[tuple[Row, ...]]:
    """Yield the rows of each file, in the order in which they are uploaded."""
    sizes = (_TEST_ROWS, _FIRST_ROWS, _MORE_ROWS, _MISLABELED_ROWS, _BROKEN_FILE_GOOD_ROWS)
    tickets = iter(generate_tickets(sum(sizes), seed))
    return (tuple(islice(tickets, size)) for size in sizes)


def _ticket(label: str, rng: random.Random) -> str:
    if rng.random() < _VAGUE_SHARE:
        text = _expand(rng.choice(_VAGUE), rng)
    else:
        sentences = [_expand(rng.choice(_REQUESTS[label]), rng)]
        if rng.random() < _ASIDE_SHARE:
            sentences.insert(rng.randrange(2), _expand(rng.choice(_ASIDES), rng))
        text = rng.choice([". ", ", ", " - ", "; "]).join(sentences)
    if rng.random() < _HELLO_SHARE:
        text = f"{_expand('{hello}', rng)} {text}"
    if rng.random() < _TYPO_SHARE:
        text = _mistyped(text, rng)
    text += rng.choice(["", ".", ".", "!", "?"])
    return text if rng.random() < _HELLO_SHARE else text[0].upper() + text[1:]


def _expand(template: str, rng: random.Random) -> str:
    """Fill slots and choose alternatives until nothing is left to choose."""
    text = _SLOT.sub(lambda slot: rng.choice(_SLOTS[slot[1]].split("|")), template)
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda choice: rng.choice(choice[1].split("|")), text)
    return re.sub(r" +", " ", text).strip().replace(" ,", ",")


def _mistyped(text: str, rng: random.Random) -> str:
    """Swap, drop or double one letter of a longer word."""
    word = rng.choice(_LONG_WORD.findall(text))
    at = rng.randrange(1, len(word) - 1)
    wrong = rng.choice([word[at + 1] + word[at], word[at + 1], word[at] * 2 + word[at + 1]])
    return text.replace(word, word[:at] + wrong + word[at + 2 :], 1)
