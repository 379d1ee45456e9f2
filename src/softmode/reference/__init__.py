"""What others computed: data sets of reference phonons, read as one type of entry."""
