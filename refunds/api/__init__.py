"""The door for store systems that refund: over REST, under an idempotency key, never by MSN."""
