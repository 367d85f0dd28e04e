"""Training what ships: a cost model and a policy that start from what earlier tasks taught."""
