"""Stores, sales units and orders as files: shown before they are done, through the verbs, and safe to open."""

import csv
import io
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hq.admin.files import orders as files_of_orders
from stores import people, registry
from stores.models import Entry, Order, Role, SalesUnit, Store, StoreUnit
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.till import Till, row

STORES = "/hq/stores/store/"
UNITS = "/hq/stores/salesunit/"
ORDERS = "/hq/stores/order/"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


def shown(client: Client, base: str, text: str | bytes) -> Any:
    """What the page says of the file before anything is done."""
    file = SimpleUploadedFile("rows.csv", text if isinstance(text, bytes) else text.encode(), "text/csv")
    response = client.post(f"{base}import/", {"import_file": file, "format": "0", "resource": ""})
    assert response.status_code == 200
    return response


def confirmed(client: Client, base: str, response: Any) -> Any:
    return client.post(f"{base}process_import/", response.context["confirm_form"].initial)


def outcomes(response: Any) -> list[str]:
    return [each.import_type for each in response.context["result"].valid_rows()]


def reproaches(response: Any) -> list[tuple[int, dict[str, list[str]]]]:
    return [(each.number, each.error_dict) for each in response.context["result"].invalid_rows]


def downloaded(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    content = b"".join(response) if response.streaming else response.content
    assert content.startswith(b"\xef\xbb\xbf")
    assert response["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


NEW = "code;name;city;country\r\nSVG;Nordlys Stavanger;Stavanger;no\r\nBGO;Nordlys Bergen;Bergen;NO\r\n"


class TestStores:
    def test_a_file_is_shown_first_and_opens_only_what_is_new(self, chain: Chain, hanne: Client) -> None:
        before = Store.objects.count(), Entry.objects.count()
        page = shown(hanne, STORES, NEW.encode("cp1252"))
        assert outcomes(page) == ["new", "skip"]
        assert "Stavanger" in page.content.decode()
        assert (Store.objects.count(), Entry.objects.count()) == before
        assert confirmed(hanne, STORES, page).status_code == 302
        opened = Store.objects.get(code="SVG")
        assert (opened.name, opened.country, opened.time_zone, opened.company) == (
            "Nordlys Stavanger",
            "NO",
            "Europe/Oslo",
            chain.company,
        )
        entry = Entry.objects.get(event="store.opened", chain__store=opened)
        assert (entry.actor_kind, entry.actor_name) == ("person", str(chain.hanne))

    def test_wrong_rows_are_named_and_then_nothing_is_done(self, hanne: Client) -> None:
        rows = [
            "svg,Nordlys Stavanger,Stavanger,NO,",
            "SVG,Nordlys Stavanger,Stavanger,XX,",
            "TOS,Nordlys Tromsø,Tromsø,NO,Europe/Tromso",
            "BGO,Another name,Bergen,NO,",
            "MOL,Nordlys Molde,Molde,NO,",
            "MOL,Nordlys Molde,Molde,NO,",
            "HAU,Nordlys Haugesund,Haugesund",
        ]
        page = shown(hanne, STORES, "code,name,city,country,time_zone\n" + "\n".join(rows))
        assert [(number, sorted(errors)) for number, errors in reproaches(page)] == [
            (2, ["code"]),
            (3, ["country"]),
            (4, ["time_zone"]),
            (5, ["__all__"]),
            (7, ["__all__"]),
            (8, ["country"]),
        ]
        assert "confirm_form" not in page.context
        assert Store.objects.filter(code__in=["SVG", "TOS", "MOL", "HAU"]).count() == 0

    @pytest.mark.parametrize("before", ["", "sep=;\r\n"])
    def test_rows_have_the_numbers_that_a_spreadsheet_shows(
        self, chain: Chain, hanne: Client, before: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = 'SVG;"Nordlys\r\nStavanger";Stavanger;NO\r\n\r\n;;;\r\nMOL;Nordlys Molde;Molde;NO\r\n'
        head = f"{before}code;name;city;country\r\n"
        assert [number for number, _ in reproaches(shown(hanne, STORES, f"{head}{good}TOS;Tromsø;Tromsø;XX\r\n"))] == [6]
        page = shown(hanne, STORES, head + good)
        registry.open_store(
            chain.company, code="MOL", name="Another", city="Molde", country="NO", time_zone="Europe/Oslo", by=chain.by
        )
        told = confirmed(hanne, STORES, page)
        assert next(str(message) for message in get_messages(told.wsgi_request)).startswith("Row 5: ")
        assert Store.objects.get(code="SVG").city == "Stavanger"

        def fail(*_args: object, **_facts: object) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(registry, "open_store", fail)
        failed = shown(hanne, STORES, f"{head}\r\nHAU;Haugesund;Haugesund;NO\r\n")
        assert [number for number, _ in failed.context["result"].row_errors()] == [3]

    @pytest.mark.parametrize(
        "text", ["", "code,name\nSVG,x\n", NEW.replace("country", "country;key"), 'code,name,city,country\n"SVG\n', b"\x81\x00"]
    )
    def test_a_file_that_is_no_list_of_stores_is_refused(self, hanne: Client, text: Any) -> None:
        page = shown(hanne, STORES, text)
        assert page.context["form"].errors["import_file"]
        assert "result" not in page.context

    def test_only_who_manages_stores_may(self, chain: Chain) -> None:
        people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
        auditor = at_headquarters(chain.per)
        assert auditor.get(f"{STORES}import/").status_code == 403
        assert auditor.post(f"{STORES}process_import/").status_code == 403
        assert auditor.get(f"{STORES}export/").status_code == 200

    def test_what_goes_out_runs_nothing_and_comes_in_unchanged(self, chain: Chain, hanne: Client) -> None:
        for name in ("=1+1", "+47 22", "-5+A1", "@home", "Bodø"):
            Store.objects.filter(code="OSL").update(name=name)
            rows = downloaded(hanne.post(f"{STORES}export/", {"format": "0", "resource": ""}))
            assert rows[0] == ["code", "name", "city", "country", "time_zone"]
            [told] = [cells[1] for cells in rows if cells[0] == "OSL"]
            assert told == (name if name == "Bodø" else f"'{name}")
            text = "\n".join(",".join(cells) for cells in rows)
            assert outcomes(shown(hanne, STORES, text)) == ["skip"] * 5


class TestSalesUnits:
    HEADER = "msn,name,market,environment,store,prefix,channel,valid_from\n"

    def test_new_units_are_added_and_known_ones_shared(self, chain: Chain, hanne: Client) -> None:
        text = (
            self.HEADER
            + "100077,Oslo web,NO,simulator,OSL,,online,2026-11-01\n"
            + f"{chain.units['BOO'].msn},Bodø,NO,simulator,TRD,TRD-,in_store,2026-11-01T10:00:00+01:00\n"
        )
        page = shown(hanne, UNITS, text)
        assert outcomes(page) == ["new", "new"]
        assert SalesUnit.objects.filter(msn="100077").count() == 0
        assert confirmed(hanne, UNITS, page).status_code == 302
        link = StoreUnit.objects.get(sales_unit__msn="100077")
        assert (link.store, link.channel, link.sales_unit.currency, link.sales_unit.key_set) == (
            chain.oslo,
            "online",
            "NOK",
            None,
        )
        assert link.valid_from.isoformat() == "2026-10-31T23:00:00+00:00"
        shared = StoreUnit.objects.get(store=chain.trondheim, sales_unit=chain.units["BOO"])
        assert shared.prefix == "TRD-"
        assert Entry.objects.filter(event="sales_unit.added", actor_name=str(chain.hanne)).count() == 2
        rows = downloaded(hanne.post(f"{UNITS}export/", {"format": "0", "resource": ""}))
        assert len(rows) == 1 + StoreUnit.objects.count()
        assert outcomes(shown(hanne, UNITS, "\n".join(",".join(cells) for cells in rows))) == ["skip"] * (len(rows) - 1)

    def test_wrong_rows_are_named(self, chain: Chain, hanne: Client) -> None:
        rows = [
            "1.0E+05,x,NO,simulator,OSL,,,2026-11-01",
            "100077,x,XX,simulator,OSL,,,2026-11-01",
            "100077,x,NO,elsewhere,OSL,,,2026-11-01",
            "100077,x,NO,simulator,XXX,,,2026-11-01",
            "100077,x,NO,simulator,OSL,,post,2026-11-01",
            "100078,x,NO,simulator,OSL,,,01.11.2026",
            "100079,x,NO,simulator,OSL,,,2026-11-01T10:00",
            "12,x,NO,simulator,OSL,,,2026-11-01",
            f"{chain.units['BOO'].msn},Bodø,NO,simulator,OSL,BOO-1,,2026-11-01",
            f"{chain.units['BOO'].msn},Another,NO,simulator,OSL,OSL-,,2026-11-01",
        ]
        page = shown(hanne, UNITS, self.HEADER + "\n".join(rows))
        assert [(number, sorted(errors)) for number, errors in reproaches(page)] == [
            (2, ["msn"]),
            (3, ["market"]),
            (4, ["environment"]),
            (5, ["store"]),
            (6, ["channel"]),
            (7, ["valid_from"]),
            (8, ["valid_from"]),
            (9, ["msn"]),
            (10, ["prefix"]),
            (11, ["__all__"]),
        ]

    def test_no_key_has_a_column(self, hanne: Client) -> None:
        rows = downloaded(hanne.post(f"{UNITS}export/", {"format": "0", "resource": ""}))
        assert rows[0] == self.HEADER.strip().split(",")
        page = shown(hanne, UNITS, self.HEADER.strip() + ",subscription_key\n")
        assert page.context["form"].errors["import_file"]


class TestOrders:
    def test_what_the_list_shows_is_downloaded_and_noted(
        self, chain: Chain, hanne: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files_of_orders, "_PAGE", 2)
        Till(chain.systems["BGO"]).sync(*(row(f"BER-{number}", receipt_number="=1+1") for number in range(5)))
        Till(chain.systems["OSL"]).sync(row("OSL-1"))
        rows = downloaded(hanne.get(f"{ORDERS}export/"))
        assert len(rows) == 1 + Order.objects.count() == 7
        bergen = downloaded(hanne.get(f"{ORDERS}export/", {"store__id__exact": str(chain.bergen.pk)}))
        assert [cells[:2] for cells in bergen[1:]] == [["BGO", f"BER-{number}"] for number in (4, 3, 2, 1, 0)]
        assert {cells[7] for cells in bergen[1:]} == {"'=1+1"}
        assert chain.units["BGO"].msn not in str(rows)
        noted = Entry.objects.filter(event="orders.exported").order_by("id")
        assert [entry.actor_name for entry in noted] == [str(chain.hanne)] * 2

    def test_who_may_not_search_downloads_nothing(self, chain: Chain) -> None:
        people.join_headquarters(chain.per, chain.company, role=Role.FINANCE, by=chain.by)
        assert at_headquarters(chain.per).get(f"{ORDERS}export/").status_code == 403
        assert Entry.objects.filter(event="orders.exported").count() == 0
