"""What is minimised, from similarities and pictures alone."""
