"""Other indexes as sources of projects and files: ``hub`` hands them out, ``source`` is what they answer."""
