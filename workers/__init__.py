"""The periodic jobs of the operation, and the launcher of web and worker together."""
