"""What every service stands on: one small file per concern, and no word about school life in any of them.

The only thing the chassis knows of schools is that each one is a tenant, named by `school_id`.
"""
