"""Has the name of an installed package, to show which of the two a function imports."""
