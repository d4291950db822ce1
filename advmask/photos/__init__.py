"""Reading pictures safely, finding faces, and folders of people."""
