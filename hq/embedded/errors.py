"""What the embedded PostgreSQL raises."""


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot run here; the text says why and what to do."""
