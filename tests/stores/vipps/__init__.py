"""Tests of the Vipps client and of its simulator; they need neither Django nor a database."""
