"""Would the tests notice? Small changes to a module, one at a time, and the tests that should go red for each."""
