"""A study of a user's own, as small as can be: how stiff a potential finds a crystal that is slightly shaken."""
