"""eCom v2 (legacy) over the same payments: ePayment sees what was paid through it, it does not see what ePayment made."""
