"""The steps, joined: the command line, the cases and the Prefect flows. The only package that imports all others."""
