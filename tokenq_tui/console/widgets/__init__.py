"""The console's widgets; each shows what it is given and posts messages for clicks."""
