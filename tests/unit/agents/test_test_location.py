"""Where tests belong: beside the project's own, or where its language keeps them."""

import pytest

from agentinfra.agents.test_location import test_path_for as path_for


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("app.py", (), "tests/test_app.py"),
        ("src/shop/cart.py", ("tests/test_other.py",), "tests/test_cart.py"),
        ("src/shop/cart.py", ("tests/shop/test_cart.py", "tests/test_cart.py"), "tests/shop/test_cart.py"),
        ("cart.py", ("cart_test.py",), "cart_test.py"),
        ("cart.py", ("spec/test_a.py", "spec/test_b.py"), "spec/test_cart.py"),
        ("tests/test_cart.py", (), "tests/test_cart.py"),
        ("src/Cart.tsx", (), "src/Cart.test.tsx"),
        ("src/Cart.svelte", (), "src/Cart.test.js"),
        ("src/cart.ts", ("src/__tests__/cart.spec.ts",), "src/__tests__/cart.spec.ts"),
        ("src/cart.test.ts", (), "src/cart.test.ts"),
        ("pkg/cart.go", (), "pkg/cart_test.go"),
    ],
)
def test_the_place_follows_the_projects_customs(path, files, expected):
    assert path_for(path, files) == expected
