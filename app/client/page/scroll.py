"""A new question is brought into view, wherever the person has scrolled to."""

from __future__ import annotations

from streamlit.components.v2 import component

_JAVASCRIPT = """
const shown = new WeakMap();
export default function ({ parentElement, data }) {
  const main = parentElement.closest('[data-testid="stMain"]');
  if (!main || shown.get(main) === data.question) return;
  shown.set(main, data.question);
  main.scrollTo({ top: main.scrollHeight });
}
"""


def to_newest(question: int) -> None:
    """Once for each number; from then on the browser keeps to the end by itself."""
    newest = component("newest", js=_JAVASCRIPT, isolate_styles=False)
    newest(data={"question": question}, key="newest")
