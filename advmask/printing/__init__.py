"""From texture and pattern to files at true size."""
