"""What people and programs prove who they are with: each part against a real counterpart."""
