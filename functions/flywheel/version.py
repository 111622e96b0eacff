"""The product's version, as a verdict names it; pyproject.toml takes it from here."""

PRODUCT_VERSION = "0.1.0"
