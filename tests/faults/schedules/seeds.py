"""Seeds that once failed, and what they showed: kept for ever, and played again with every run of the tests."""

KEPT: dict[int, str] = {
    2289: "a worker that froze right after the commit of its intent sent a day later, after the refund had been declined",
}
KEPT_IN_MEMORY: dict[int, str] = {
    6082: "Vipps' sum lagged before the call, which failed after its 200: an earlier refund's money passed for this one's",
    11383: "after a restore the event log could not be read, so a refund that had been paid was declined as never sent",
}
