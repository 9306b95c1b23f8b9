"""Every change to who there is and what they may: accounts, tokens, sessions, roles. Neither Flask nor SQL.

Each change has its journal row in the same transaction, and moves the access counter where a right may end by it. What
is told of people in JSON is in ``people.documents``.
"""
