"""A campaign as one folder that a browser opens from disk, without a server and without a network."""
