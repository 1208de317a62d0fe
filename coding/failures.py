"""
What can go wrong in coding. No text here holds a post, a prompt or an answer.

CodingError
├── ModelError         a trained model's file cannot be used
├── TopicsError        topics cannot be made of these posts
└── ChatError          a language model gave no answer
    ├── RemoteModel       its endpoint is outside this machine and no policy names the host (an ethics matter)
    ├── ModelUnreachable  no usable answer came: network, 5xx, cut short, too slow
    └── ModelRejected     the endpoint said no: unknown model, key, request
"""

from __future__ import annotations


class CodingError(Exception):
    """Any failure of a coder that is not a bug; the message says what, where and the way out."""


class ModelError(CodingError):
    """A trained model's file cannot be used."""


class TopicsError(CodingError):
    """Topics cannot be made of these posts."""


class ChatError(CodingError):
    """A language model gave no answer."""


class RemoteModel(ChatError):
    """The endpoint is outside this machine, and nobody allowed its host. Exit code 3."""


class ModelUnreachable(ChatError):
    """No usable answer came; trying again later may help."""


class ModelRejected(ChatError):
    """The endpoint said no; trying again without a change will not help."""
