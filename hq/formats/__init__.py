"""How dates and times are written where Django's own habit does not suit a shop: the day first, and 24 hours."""
