"""What a printer makes of a design, as a differentiable module, and the printers known."""
