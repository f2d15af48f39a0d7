"""What the demo raises."""


class DemoFailed(RuntimeError):
    """The demo cannot go on; the text says why and what to do."""
