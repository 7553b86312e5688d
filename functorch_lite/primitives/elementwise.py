"""All elementwise primitives under one name: `from .primitives import elementwise as e`, then `e.sin`."""

from .arithmetic import *  # noqa: F403
from .bitwise import *  # noqa: F403
from .casting import *  # noqa: F403
from .parts import *  # noqa: F403
from .special import *  # noqa: F403
from .transcendental import *  # noqa: F403
