"""The Python of docs/server.md prints what the page says."""
import contextlib
import io
import pathlib
import re

import pytest

from cases import GRPC, HTTP

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "server.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n+```text\n(.*?)^```", PAGE, re.S | re.M)


def test_the_page_has_examples():
    assert EXAMPLES and len(EXAMPLES) == PAGE.count("```python")


@pytest.mark.parametrize("code, printed", EXAMPLES)
def test_an_example_prints_what_the_page_says(code, printed):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code.replace("localhost:8080", HTTP).replace("localhost:8081", GRPC), {})
    assert out.getvalue() == printed
