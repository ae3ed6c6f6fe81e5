"""A Stripe API on this machine, so that the example needs neither an account nor the network."""

from .process import LocalStripe, LocalStripeError

__all__ = ["LocalStripe", "LocalStripeError"]
