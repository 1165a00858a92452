"""PostgreSQL and Valkey of our own, for machines that have neither."""
