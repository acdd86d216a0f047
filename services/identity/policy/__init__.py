"""The school's rules: versions of the policy document, own hours of staff, and coming in for a reason."""
