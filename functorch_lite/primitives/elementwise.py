"""All elementwise primitives under one name: `elementwise.sin`. Reading: arithmetic, transcendental, special."""

from .arithmetic import *  # noqa: F403
from .arithmetic import bitwise_and as and_  # noqa: F401
from .arithmetic import bitwise_not as not_  # noqa: F401
from .arithmetic import bitwise_or as or_  # noqa: F401
from .arithmetic import bitwise_xor as xor_  # noqa: F401
from .special import *  # noqa: F403
from .transcendental import *  # noqa: F403
