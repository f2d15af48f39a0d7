"""Tests of the package of that name, one file per behaviour."""
