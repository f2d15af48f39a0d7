"""The tests, one file per behaviour, mirroring the packages."""
