"""What the jobs of a campaign ask of a cluster, and what its scheduler leaves to its users."""
