import time

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.search import HybridSearch

QUEUE = '''
class Queue:
    """Holds work until somebody has time for it."""

    def put(self, item):
        """Add an item to the end of the line."""
        with self.lock:
            self.items.append(item)
            self.not_empty.notify()
        return len(self.items), "an item was put into the queue, the queue is longer now by one item"

    def get(self, timeout=None):
        """Take the first item out and give it to the caller, who waits for it."""
        with self.lock:
            while not self.items:
                self.not_empty.wait(timeout)
            return self.items.popleft()
'''
HTTP = '''
def fetch_page(address, retries=3):
    """Download a document from a server."""
    for attempt in range(retries):
        response = open_connection(address).send("GET", attempt)
        if response.status == 200:
            return response.read().decode(response.charset or "utf-8")
    raise OSError(f"the server gave no page for {address}, and was asked {retries} times")


def put(address, body):
    """Upload a document."""
    connection = open_connection(address)
    connection.send("PUT", body)
    connection.headers["length"] = str(len(body))
    return connection.close(), "the document lies at the address now, with its length in the headers"
'''
README = "# Work\n\nThe queue keeps items in the order in which they came.\n\n# Licence\n\nFree for all.\n"
FILES = {"src/queue.py": QUEUE, "src/web/http.py": HTTP, "README.md": README}


class TopicEmbedder:
    """Knows two topics; slow on purpose where asked to be, and counts what it embeds."""

    name, dimensions = "topics", 2

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.embedded = []

    async def embed(self, texts, *, query=False):
        if self.seconds and not query:
            time.sleep(self.seconds)
        self.embedded += [] if query else texts
        return np.array([[1.0, 0.0] if "send" in text else [0.0, 1.0] for text in texts], np.float32)

    async def aclose(self):
        pass


class BrokenEmbedder(TopicEmbedder):
    name = "broken"

    async def embed(self, texts, *, query=False):
        raise ModelUnavailable("The embedder is away", next_step="Wait")


@pytest.fixture
def search_in(index_of):
    def make(files=FILES, reranker=None):
        return HybridSearch(index_of(files), StaticEmbedder(), reranker)

    return make


@pytest.fixture
def words_alone(index_of):
    return HybridSearch(index_of(FILES, None))


async def symbols(search, query, **options):
    return [hit.symbol for hit in await search.search(query, **options)]


async def test_words_meaning_and_name_add_up_to_the_score(search_in):
    best, *others = await search_in().search("download a document from a server")
    assert best.symbol == "fetch_page"
    assert (best.path, best.text.splitlines()[0]) == ("src/web/http.py", "def fetch_page(address, retries=3):")
    assert set(best.why) == {"words", "name", "signature", StaticEmbedder.name}
    assert best.why["words"] == 1.0
    assert sum(best.why.values()) == best.score
    assert all(other.score <= best.score for other in others)


async def test_name_and_signature_count_by_their_cosines(search_in):
    query = "download a document from a server"
    best = (await search_in().search(query))[0]
    texts = [query, "fetch_page", "def fetch_page(address, retries=3)"]
    asked, name, signature = StaticEmbedder().embed_now(texts)
    assert best.why["name"] == pytest.approx(0.75 * name @ asked)
    assert best.why["signature"] == pytest.approx(0.75 * signature @ asked)


async def test_meaning_finds_what_has_no_word_in_common(search_in, words_alone):
    words = await words_alone.search("retrieve url")
    both = await search_in().search("retrieve url")
    assert words == []
    assert both[0].symbol == "fetch_page"
    assert "words" not in both[0].why


async def test_without_an_embedder_words_alone_are_searched(words_alone):
    hits = await words_alone.search("order of the items in the queue")
    assert hits
    assert all(set(hit.why) == {"words"} for hit in hits)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("put", "put"),
        ("Queue.put", "Queue.put"),
        ("Queue::put", "Queue.put"),
        ("def fetch_page(", "fetch_page"),
        ("Queue.get()", "Queue.get"),
        ("http.py:13", "put"),
    ],
)
async def test_a_name_finds_its_definition_first(search_in, query, first):
    hits = await search_in().search(query)
    assert hits[0].symbol == first
    assert "definition" in hits[0].why


async def test_a_path_finds_its_file_first_and_in_order(search_in):
    hits = await search_in().search("web/http.py")
    assert [hit.symbol for hit in hits[:2]] == ["fetch_page", "put"]
    assert {hit.path for hit in hits[:2]} == {"src/web/http.py"}


async def test_an_english_word_is_no_path(search_in):
    assert all("definition" not in hit.why for hit in await search_in().search("items"))


@pytest.mark.parametrize("query", ['"', "AND OR NOT", "a NEAR(b", "name:put", "*", "^(", "'; DROP TABLE words", "ü\0x"])
async def test_nothing_in_a_question_is_syntax(search_in, query):
    await search_in().search(query)


@pytest.mark.parametrize("query", ["", "   \n"])
async def test_an_empty_question_finds_nothing(search_in, query):
    assert await search_in().search(query) == []


async def test_paths_and_kinds_bound_what_is_found(search_in):
    search = search_in()
    assert {hit.path for hit in await search.search("put", paths="src/web/*")} == {"src/web/http.py"}
    assert {hit.kind for hit in await search.search("queue items", kinds={"section"})} == {"section"}


async def test_k_bounds_what_is_found(search_in):
    assert len(await search_in().search("the item", k=2)) == 2
    assert await search_in().search("the item", k=0) == []


async def test_the_reranker_has_the_last_word(search_in):
    plain = await symbols(search_in(), "give item to the caller")
    turned = await symbols(search_in(reranker=TopicEmbedder()), "give item to the caller send")
    assert plain[0] == "Queue.get"
    assert set(turned[:2]) == {"fetch_page", "put"}


async def test_the_reranker_is_not_asked_for_what_is_known(search_in):
    reranker = TopicEmbedder()
    search = search_in(reranker=reranker)
    await search.search("the first item")
    once = list(reranker.embedded)
    await search.search("the first item")
    assert once == reranker.embedded
    assert len(once) == len(set(once)) > 0


async def test_vectors_in_the_store_are_not_made_again(index_of):
    index, reranker = index_of(FILES), TopicEmbedder()
    index.keep(reranker.name, await reranker.embed([chunk.embedded_text for chunk in index.chunks]))
    reranker.embedded.clear()
    hits = await HybridSearch(index, StaticEmbedder(), reranker).search("the first item")
    assert reranker.embedded == []
    assert all(reranker.name in hit.why for hit in hits)


async def test_when_the_time_is_over_what_is_known_counts_and_the_rest_is_average(search_in):
    many = {f"part{n}.py": QUEUE.replace("Queue", f"Queue{n}") for n in range(30)}
    reranker = TopicEmbedder(seconds=0.05)
    hits = await search_in(many, reranker).search("take the first item", budget_seconds=0.12)
    assert 0 < len(reranker.embedded) < 30
    assert [hit.why[reranker.name] for hit in hits] == [2.0] * 10


async def test_no_time_at_all_leaves_the_order_as_it_is(search_in):
    hits = await search_in(reranker=TopicEmbedder()).search("the first item", budget_seconds=0)
    assert [hit.symbol for hit in hits] == await symbols(search_in(), "the first item")


async def test_an_embedder_that_fails_is_done_without_and_told(index_of):
    search = HybridSearch(index_of(FILES), StaticEmbedder(), BrokenEmbedder())
    assert (await search.search("download a document"))[0].symbol == "fetch_page"
    assert search.trouble == "The embedder is away. Wait."
    search = HybridSearch(index_of(FILES), BrokenEmbedder())
    assert (await search.search("download a document"))[0].symbol == "fetch_page"
    assert search.trouble


async def test_chunks_without_a_name_are_taken_for_average(search_in):
    files = {"notes.txt": "download the document from the server by hand\n", **FILES}
    hits = {hit.path: hit for hit in await search_in(files).search("download the document by hand")}
    assert hits["notes.txt"].symbol == ""
    assert hits["notes.txt"].why["name"] > 0
