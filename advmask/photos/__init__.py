"""Reading pictures safely, finding faces, working crops, and folders of people.

`load_faces` does it all; the parts it is made of can be used by themselves. Networks are loaded only when a
picture is searched for faces.
"""
