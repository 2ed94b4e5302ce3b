"""Usage, budgets and time: what is used, what is left, how long it lasts. Policy as pure functions, storage apart."""
