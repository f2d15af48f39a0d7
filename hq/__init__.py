"""The roof: wiring, settings and headquarters' windows; imports everybody, owns no tables."""
