"""The door for customers: where a refund stands, for whoever holds the paper."""
