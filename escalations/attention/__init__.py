"""Problems between the service, its customers and the desk, and their fixes."""
