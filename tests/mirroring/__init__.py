"""Taking from upstreams ahead of need."""
