"""What was measured as vector graphics for papers, in one style, from the files of a run."""
