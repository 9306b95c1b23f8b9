"""Taking from upstreams ahead of need: what a lock or a requirements file wants, and carrying it across an air gap."""
