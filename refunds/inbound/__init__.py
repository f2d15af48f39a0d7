"""The door for Vipps' webhooks."""
