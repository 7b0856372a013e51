"""The fixes named by the doctor's findings; repairs of duplicates belong to the apps."""
