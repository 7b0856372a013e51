"""What the doctor's findings name as their cure, beside the repairs of duplicates that belong to the apps."""
