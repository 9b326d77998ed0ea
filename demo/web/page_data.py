"""Data for the page's scripts, as attributes of empty elements, percent-encoded: no word of a user is ever markup.

Called by the handlers of chat, picture and inspector; `static/shared/bridge.js` reads it. Knows no meaning of the
data.
"""

import json
from urllib.parse import quote


def data_html(name: str, value: object) -> str:
    """`value` for the script, as the attribute `data-NAME`."""
    return f'<i hidden data-{name}="{quote(json.dumps(value))}"></i>'
