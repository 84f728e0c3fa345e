"""Notification channels: one module and one template folder each. E-mail is the first."""
