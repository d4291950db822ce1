"""What is optimised, and how a design is read and written."""
