"""Pages of the admin that need several apps."""
