"""Many runs as one table: found in folders, grouped over their seeds, compared and tested."""
