"""What every room may use: errors, settings, configuration folders, files. Nothing here knows a face."""
