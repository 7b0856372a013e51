"""What all apps' admin pages share."""
