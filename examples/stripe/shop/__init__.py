"""The application: three services and their default settings."""

from .ledger_service import LedgerService
from .reconciler_service import ReconcilerService
from .stripe_service import StripeService

__all__ = ["LedgerService", "ReconcilerService", "StripeService"]
