"""The Lightning loop; the only room that knows Lightning."""
