"""Client of interpretd, the real-time speech-to-speech translation daemon.

connect() leads to everything else; README.md has examples.
"""

from . import messages
from .call import Call
from .daemon import Daemon, connect
from .errors import (
    Busy,
    InterpretdError,
    Interrupted,
    InvalidArgument,
    ProtocolError,
    Refused,
    Unauthenticated,
    Unreachable,
)
from .messages import *  # noqa: F403 - all of the protocol's messages
from .session import Session
from .version import __version__

__all__ = [
    "Busy",
    "Call",
    "Daemon",
    "InterpretdError",
    "Interrupted",
    "InvalidArgument",
    "ProtocolError",
    "Refused",
    "Session",
    "Unauthenticated",
    "Unreachable",
    "__version__",
    "connect",
]
__all__ += messages.__all__
