"""The officer's verbs over several features: next, wrap up, undo."""
