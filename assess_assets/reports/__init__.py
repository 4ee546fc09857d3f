"""How answers look: on a terminal, as Markdown, and as a page with charts. It counts nothing."""
