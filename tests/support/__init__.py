"""What tests stand on: real servers, real databases, and a few words to say what matters."""
