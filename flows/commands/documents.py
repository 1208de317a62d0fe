"""`veldwerk documents`."""

from flows.adding import taking_in

command = taking_in(
    "documents", "documents", tells="Take literature and policy documents in.", adds="Read documents into a case."
)
