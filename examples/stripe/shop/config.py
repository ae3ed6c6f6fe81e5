"""Default settings. A setting that is stored (with the config API, in Redis, in a database) wins over them."""

STRIPE_CONFIG = {
    "enabled": True,
    "quiet": False,
    "key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "api_base": "https://api.stripe.com",
    "currency": "usd",
}

RECONCILER_CONFIG = {
    "enabled": True,
    "quiet": False,
    "interval": 0.1,  # seconds; a real shop would look every few minutes
}

LEDGER_CONFIG = {
    "enabled": True,
    "quiet": False,
    "host": "127.0.0.1",
    "port": 6543,
    "timeout": 1.0,  # seconds
}
