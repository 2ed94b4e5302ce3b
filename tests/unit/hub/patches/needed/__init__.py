"""What the libraries do without our patches. A test that fails here says that a patch can go.

Each runs the library as it is installed, and shows the fault that the patch of fabric_hub/hub/patches is for.
"""
