"""This machine: its accounts, what this process may do, and programs that it runs."""
