"""How a notification reaches people: one module and one folder of templates per channel. E-mail is the first."""
