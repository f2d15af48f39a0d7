"""The ground's tables, one file per thing."""

from stores.models.api_key import ApiKey, Scope, StoreSystem
from stores.models.audit import Chain, Entry, LookUp
from stores.models.key_set import KeyField, KeySet, KeySetKind
from stores.models.notice import Notice, NoticeVerdict, Standing, WebhookRegistration
from stores.models.order import Order, OrderConflict, OrderLine, PaidAtFrom, Settlement, reference_key
from stores.models.order_import import ImportState, OrderImport, OrderImportPart, OrderImportRow
from stores.models.payment_to_read import PaymentToRead
from stores.models.people import HQ_ROLES, STORE_ROLES, Membership, Role, User
from stores.models.registration_watch import RegistrationWatch
from stores.models.secret import Secret
from stores.models.settlement import DISPUTES, EntryType, SettlementAccess, SettlementEntry, SettlementFeed
from stores.models.store import Channel, Company, Environment, SalesUnit, Store, StoreUnit
from stores.models.sync_position import SyncPosition
from stores.models.till_pin import TillPin
from stores.models.unplaced import UnplacedPayment, WhyUnplaced
from stores.models.vipps_question import AskedUnit, UnitAnswer, VippsQuestion

__all__ = [
    "DISPUTES",
    "HQ_ROLES",
    "STORE_ROLES",
    "ApiKey",
    "AskedUnit",
    "Chain",
    "Channel",
    "Company",
    "Entry",
    "EntryType",
    "Environment",
    "ImportState",
    "KeyField",
    "KeySet",
    "KeySetKind",
    "LookUp",
    "Membership",
    "Notice",
    "NoticeVerdict",
    "Order",
    "OrderConflict",
    "OrderImport",
    "OrderImportPart",
    "OrderImportRow",
    "OrderLine",
    "PaidAtFrom",
    "PaymentToRead",
    "RegistrationWatch",
    "Role",
    "SalesUnit",
    "Scope",
    "Secret",
    "Settlement",
    "SettlementAccess",
    "SettlementEntry",
    "SettlementFeed",
    "Standing",
    "Store",
    "StoreSystem",
    "StoreUnit",
    "SyncPosition",
    "TillPin",
    "UnitAnswer",
    "UnplacedPayment",
    "User",
    "VippsQuestion",
    "WebhookRegistration",
    "WhyUnplaced",
    "reference_key",
]
