"""The projects' folders: who is to be let in, what is there, and who does it."""
