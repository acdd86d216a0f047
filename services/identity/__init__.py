"""identity: schools, the people in them, how they sign in, and the feed by which every other service knows who is who."""
