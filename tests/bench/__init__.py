"""Measurements: each module is a program that ends with one line of JSON."""
