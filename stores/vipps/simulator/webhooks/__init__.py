"""Webhooks v1: who wants to be told of what, and the telling itself, signed, in order and again and again."""
