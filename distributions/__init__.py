"""What an uploaded file is: filenames, archives and core metadata, read and checked, never extracted."""
