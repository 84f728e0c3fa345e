"""Notification channels, e-mail and webhooks: one module and one template folder each."""
