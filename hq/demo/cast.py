"""Who is in the demo: 24 stores in three countries, in the three set-ups that Vipps recommends, and six people."""

from dataclasses import dataclass

from stores.models import Role

COMPANY = "Nordlys"
PASSWORD = "nordlys-refund-demo"  # noqa: S105 - the demo's, printed to whoever starts it
PIN = "204815"
"""Of Kari and Mona, who share a till."""
PARTNER = "nordlys-partner"
TIME_ZONES = {"NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "FI": "Europe/Helsinki"}
SELLERS = {
    "NO": ("Nordlys Norge AS", "999 000 001 MVA"),
    "DK": ("Nordlys Danmark A/S", "10 00 00 00"),
    "FI": ("Nordlys Suomi Oy", "1000000-1"),
}
"""The company of each country as receipts name it; the numbers' check digits are wrong on purpose, so nobody's."""
STREETS = {"NO": "Storgata {number}, {city}", "DK": "Nørregade {number}, {city}", "FI": "Aleksanterinkatu {number}, {city}"}
_SHARED_MSN = {"NO": "500001", "DK": "500002", "FI": "500003"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A store to be. `setup`: A partner keys, B own keys, C one unit of the country shared by prefix."""

    code: str
    city: str
    country: str
    setup: str
    number: int

    @property
    def msn(self) -> str:
        """The sales unit it sells through."""
        return _SHARED_MSN[self.country] if self.setup == "C" else str(400_000 + self.number)

    @property
    def address(self) -> str:
        """The street it is said to lie in."""
        return STREETS[self.country].format(number=self.number, city=self.city)

    @property
    def prefix(self) -> str:
        """What its references on a shared unit begin with."""
        return f"{self.code}-" if self.setup == "C" else ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who may sign in; `store` is a code or "" for headquarters or nowhere."""

    username: str
    first_name: str
    last_name: str
    store: str = ""
    roles: tuple[Role, ...] = ()


_TABLE = """
OSL Oslo NO B
BGO Bergen NO B
TRD Trondheim NO A
BOO Bodø NO C
HAM Hamar NO C
CPH København DK A
AAR Aarhus DK B
HEL Helsinki FI B
SVG Stavanger NO A
KRS Kristiansand NO B
ODE Odense DK A
TMP Tampere FI A
TOS Tromsø NO A
LIL Lillehammer NO C
DRM Drammen NO B
ESB Esbjerg DK C
ROS Roskilde DK C
TKU Turku FI B
JYV Jyväskylä FI C
KUO Kuopio FI C
AES Ålesund NO A
AAL Aalborg DK B
OUL Oulu FI A
FRE Fredrikstad NO B
"""
PLACES = tuple(
    Place(code=code, city=city, country=country, setup=setup, number=number)
    for number, (code, city, country, setup) in enumerate((line.split() for line in _TABLE.split("\n") if line), start=1)
)
FEWEST_STORES = 5  # up to here every set-up, and the cast's own stores, are in

KARI = Person(username="kari", first_name="Kari", last_name="Lund", store="OSL", roles=(Role.CASHIER,))
MONA = Person(username="mona", first_name="Mona", last_name="Dahl", store="OSL", roles=(Role.MANAGER,))
HANNE = Person(username="hanne", first_name="Hanne", last_name="Berg", roles=(Role.OPERATOR, Role.APPROVER, Role.SECURITY))
FINN = Person(username="finn", first_name="Finn", last_name="Aas", roles=(Role.FINANCE,))
PEOPLE = (
    KARI,
    MONA,
    Person(username="bjarne", first_name="Bjarne", last_name="Vik", store="BGO", roles=(Role.CASHIER,)),
    HANNE,
    FINN,
    Person(username="per", first_name="Per", last_name="Moe"),
)
