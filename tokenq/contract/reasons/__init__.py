"""The rows of what a server refuses, by subject: people in line, the floor's set-up, and the system beneath."""
