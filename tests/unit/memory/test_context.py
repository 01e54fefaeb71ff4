import random
import string

import pytest

from agentinfra.core.token_estimate import text_tokens
from agentinfra.memory.context import ContextBuilder, ContextRequest
from agentinfra.memory.context_pieces import Piece
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.search import HybridSearch

FILES = {
    "shop/cart.py": '''from shop.prices import total_price


class Cart:
    """What somebody wants to buy."""

    def __init__(self):
        self.items = {}

    def add(self, name, count=1):
        """Put some of an article into the cart."""
        self.items[name] = self.items.get(name, 0) + count

    def price(self):
        """What all of it costs."""
        return total_price(self.items)


def new_cart():
    return Cart()
''',
    "shop/prices.py": '''from shop.discounts import discount_for


def total_price(items):
    """Add up what articles cost, less the discount that the customer gets for buying many of them at the same time."""
    price = sum(PRICES[name] * count for name, count in items.items())
    return price - discount_for(price)


def unrelated():
    """Print a price list on paper, in two columns, with a border around it, for those who come into the shop."""
    for name, price in PRICES.items():
        print(name.ljust(40), str(price).rjust(10), sep=" | ")


PRICES = {"tea": 3, "bread": 2}
''',
    "shop/discounts.py": '''def discount_for(price):
    """Who buys for more than a hundred gets a tenth off, who buys for more than a thousand gets a fifth off."""
    if price > 1000:
        return price / 5
    return price / 10 if price > 100 else 0
''',
    "web/basket_page.ts": """/** Shows the shopping cart with its articles. */
export function showCart(cart: Cart): string {
  const rows = cart.items.map((item) => `<li>${item.name}: ${item.count}</li>`);
  return `<ul class="cart">${rows.join("")}</ul><p>Total: ${cart.price()}</p>`;
}
""",
}
LESSON = MemoryRecord("1", "lesson", "Prices are in cents", why="floats went wrong", source="run 7")
REQUEST = ContextRequest(
    "remove an article from the cart",
    ("shop/cart.py", "shop/new_file.py"),
    (
        Piece(
            "spec.md",
            12,
            14,
            "FR-1 Somebody can remove an article from the cart.\n\n- An article that is not there changes nothing.",
            ("what is asked for",),
            "spec",
        ),
    ),
    (LESSON,),
)


@pytest.fixture
def builder(index_of):
    def make(files=FILES):
        index = index_of(files)
        return ContextBuilder(index, HybridSearch(index, StaticEmbedder()))

    return make


async def test_every_piece_has_its_source_and_its_reason(builder):
    context = await builder().build(REQUEST, 3000)
    found = {piece.source: piece.reasons for piece in context.pieces}
    assert next(iter(found)) == "spec.md:12-14"
    assert found["shop/cart.py:1-20"] == ("claimed by the task",)
    assert found["memory"] == ("learnt before",)
    assert "=== file shop/cart.py:1-20 (claimed by the task) ===\nfrom shop.prices import total_price\n" in context.text
    assert "Prices are in cents (floats went wrong)" in context.text
    assert any(
        piece.path == "web/basket_page.ts" and piece.reasons == ("fits the question",) for piece in context.pieces
    )


async def test_what_the_files_use_is_followed_over_two_steps(builder):
    pieces = (await builder().build(REQUEST, 3000)).pieces
    reasons = {reason for piece in pieces for reason in piece.reasons}
    assert "total_price is used by shop/cart.py" in reasons
    assert "discount_for is used by shop/prices.py" in reasons


async def test_without_files_what_the_best_hits_use_is_followed(builder):
    context = await builder().build(ContextRequest("what all of the cart costs"), 3000)
    assert "def discount_for(price):" in context.text
    assert context.text.count("def total_price(items):") == 1


@pytest.mark.parametrize("tokens", [0, 10, 40, 100, 200, 300, 450, 600, 1000])
async def test_it_never_takes_more_than_the_budget(builder, tokens):
    context = await builder().build(REQUEST, tokens)
    assert context.tokens == text_tokens(context.text) <= tokens
    assert bool(context.pieces) == (tokens >= 40)


async def test_a_file_too_large_gives_what_fits_the_question(builder):
    words = random.Random(1)
    noise = "".join(
        f"def part_{n}(a):\n    return '{''.join(words.choices(string.ascii_letters, k=400))}'\n\n\n" for n in range(40)
    )
    files = {"big.py": noise + 'def remove_article(cart, name):\n    """Remove it."""\n' + "    del cart[name]\n" * 15}
    context = await builder(files).build(ContextRequest("remove an article", ("big.py",)), 900)
    assert "def remove_article(cart, name):" in context.text
    assert context.tokens <= 900


async def test_the_same_index_gives_the_same_context(builder):
    assert await builder().build(REQUEST, 500) == await builder().build(REQUEST, 500)


async def test_a_specification_that_is_too_long_is_cut_at_a_line(builder):
    spec = "\n".join(f"- Rule {n} says that something holds." for n in range(100))
    given = Piece("spec.md", 7, 106, spec, ("what is asked for",), "spec")
    context = await builder().build(ContextRequest("cart", (), (given,)), 400)
    kept = context.pieces[0].text.splitlines()
    assert 0 < len(kept) < 100
    assert kept == spec.splitlines()[: len(kept)]
    assert context.pieces[0].source == f"spec.md:7-{6 + len(kept)}"


async def test_an_empty_index_still_gives_the_specification(builder):
    context = await builder({}).build(REQUEST, 500)
    assert [(piece.source, piece.kind) for piece in context.pieces] == [
        ("spec.md:12-14", "spec"),
        ("memory", "lessons"),
    ]


async def test_only_what_is_within_is_shown_and_what_a_claimed_file_outside_uses_is_followed(builder):
    request = ContextRequest(
        "remove from the cart", ("shop/cart.py",), within=frozenset({"shop/prices.py"}), mapped=True
    )
    context = await builder().build(request, 3000)
    assert {piece.path for piece in context.pieces} == {"repository", "shop/prices.py"}
    assert "total_price is used by shop/cart.py" in {reason for piece in context.pieces for reason in piece.reasons}
    assert "shop/cart.py:" not in context.text


async def test_the_map_shows_what_is_leant_on_within_its_share(builder):
    request = ContextRequest("remove from the cart", ("shop/cart.py",), mapped=True)
    [drawn] = [piece for piece in (await builder().build(request, 1000)).pieces if piece.kind == "map"]
    assert drawn.source == "repository"
    assert "shop/prices.py:\n  def total_price(items)  #4" in drawn.text
    assert drawn.tokens > 60
    [drawn] = [piece for piece in (await builder().build(request, 300)).pieces if piece.kind == "map"]
    assert drawn.tokens <= 60
    assert not any(piece.kind == "map" for piece in (await builder().build(REQUEST, 1000)).pieces)


async def test_of_too_many_files_there_is_no_map(builder, monkeypatch):
    request = ContextRequest("one", mapped=True)
    for most, drawn in ((len(FILES), True), (len(FILES) - 1, False)):
        monkeypatch.setattr("agentinfra.memory.context.MAPPED_FILES", most)
        pieces = (await builder().build(request, 1000)).pieces
        assert any(piece.kind == "map" for piece in pieces) == drawn


async def test_what_fits_a_question_comes_before_what_it_uses(builder):
    pieces = (await builder().build(ContextRequest("what all of the cart costs"), 250)).pieces
    assert pieces[0].reasons[0] == "fits the question"
