"""The product's version, as a verdict names it; the one of pyproject.toml."""

PRODUCT_VERSION = "0.1.0"
