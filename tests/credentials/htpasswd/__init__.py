"""An htpasswd file, beside Apache's own tool: what it writes is read, and what is written it takes."""
