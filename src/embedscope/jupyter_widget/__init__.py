"""The explorer in a notebook: a widget that trains live, links map and images, and decodes.

Needs the extra ``embedscope[jupyter]``. The code of the page is TypeScript, in ``js``; its bundle
is in ``static``.
"""

from embedscope.jupyter_widget._widget import ExplorerWidget

__all__ = ["ExplorerWidget"]
